"""`graphql-transport-ws`, sentence by sentence (`live.md` W1, W2)."""

import asyncio
from typing import Any

import orjson
import pytest
from websockets.exceptions import InvalidStatus

from server.transports.endpoint import TransportLimits
from server.transports.websocket_connection import WebSocketLimits
from tests.protocol.raw_client import RawClient, raw_client, ready_client
from tests.protocol.serving import Toy, served_toy

COUNTER = "subscription($size: Int) { counter(size: $size) { value } }"


def counted(value: int, operation_id: str = "1") -> dict[str, Any]:
    return {"id": operation_id, "type": "next", "payload": {"data": {"counter": {"value": value}}}}


def completed(operation_id: str = "1") -> dict[str, Any]:
    return {"id": operation_id, "type": "complete"}


async def test_the_server_selects_the_subprotocol(toy: Toy) -> None:
    async with raw_client(toy) as client:
        assert client.connection.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize("subprotocols", [None, ["graphql-ws"], ["chat"]])
async def test_another_subprotocol_closes_with_4406(toy: Toy, subprotocols: list[str] | None) -> None:
    async with raw_client(toy, subprotocols=subprotocols) as client:
        assert await client.closed() == (4406, "Subprotocol not acceptable")


async def test_connection_init_is_acknowledged(toy: Toy) -> None:
    async with raw_client(toy) as client:
        await client.send({"type": "connection_init", "payload": {"any": ["thing"]}})
        assert await client.receive() == {"type": "connection_ack"}


async def test_no_connection_init_in_time_closes_with_4408() -> None:
    limits = TransportLimits(websocket=WebSocketLimits(init_timeout=0.05))
    async with served_toy(limits) as toy, raw_client(toy) as client:
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_a_second_connection_init_closes_with_4429(client: RawClient) -> None:
    await client.send({"type": "connection_init"})
    assert await client.closed() == (4429, "Too many initialisation requests")


async def test_subscribe_before_the_acknowledgement_closes_with_4401(toy: Toy) -> None:
    async with raw_client(toy) as client:
        await client.subscribe("1", "{ hello }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_ping_is_answered_with_pong_even_before_connection_init(toy: Toy) -> None:
    async with raw_client(toy) as client:
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_pong_carries_the_payload_of_ping(client: RawClient) -> None:
    await client.send({"type": "ping", "payload": {"at": 1}})
    assert await client.receive() == {"type": "pong", "payload": {"at": 1}}


async def test_a_pong_that_nobody_asked_for_is_taken(client: RawClient) -> None:
    await client.send({"type": "pong", "payload": {"at": 1}})
    await client.roundtrip()


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ({"query": "{ hello }"}, {"hello": "world"}),
        ({"query": "mutation { change(value: 3) }"}, {"change": 3}),
        ({"query": "query($t: String!) { echo(text: $t) }", "variables": {"t": "é"}}, {"echo": "é"}),
        ({"query": "query A { hello } query B { viewer }", "operationName": "A"}, {"hello": "world"}),
        ({"query": "{ hello }", "extensions": {"any": 1}, "variables": None}, {"hello": "world"}),
        ({"query": "{ projected }"}, {"projected": {"ready": "made"}}),
    ],
)
async def test_queries_and_mutations_give_one_next_and_complete(
    client: RawClient, operation: dict[str, Any], data: dict[str, Any]
) -> None:
    await client.send({"id": "1", "type": "subscribe", "payload": operation})
    assert await client.receive() == {"id": "1", "type": "next", "payload": {"data": data}}
    assert await client.receive() == completed()


async def test_a_subscription_gives_next_for_every_change_and_complete_at_its_end(
    toy: Toy, client: RawClient
) -> None:
    await client.subscribe("1", COUNTER)
    assert await client.receive() == counted(0)
    toy.world.change(1)
    assert await client.receive() == counted(1)
    toy.world.value = 2
    toy.world.end()
    assert await client.receive() == counted(2)
    assert await client.receive() == completed()


async def test_an_id_is_any_text_and_comes_back_as_it_was(client: RawClient) -> None:
    operation_id = 'é"\\\n}'
    await client.subscribe(operation_id, "{ hello }")
    assert (await client.receive())["id"] == operation_id


async def test_an_id_may_be_used_again_after_complete(client: RawClient) -> None:
    for _ in range(3):
        await client.subscribe("1", "{ hello }")
        assert (await client.receive())["type"] == "next"
        assert await client.receive() == completed()


async def test_an_id_in_use_closes_with_4409(client: RawClient) -> None:
    await client.subscribe("1", COUNTER)
    await client.receive()
    await client.subscribe("1", "{ hello }")
    assert await client.closed() == (4409, "Subscriber for 1 already exists")


async def test_complete_from_the_client_ends_the_source_and_frees_the_id(toy: Toy, client: RawClient) -> None:
    await client.subscribe("1", COUNTER)
    await client.receive()
    await client.complete("1")
    await toy.world.until(sources=0)
    await client.subscribe("1", COUNTER)
    assert await client.receive() == counted(0)


async def test_complete_of_an_unknown_id_is_nothing(client: RawClient) -> None:
    await client.complete("nothing")
    await client.roundtrip()


async def test_a_query_that_the_client_completes_is_finished_and_not_answered(
    toy: Toy, client: RawClient
) -> None:
    await client.subscribe("1", "{ slow }")
    await toy.world.until(sources=1)
    await client.complete("1")
    await client.roundtrip()
    toy.world.may_finish.set()
    await toy.world.until(sources=0)
    await client.roundtrip()


async def test_a_query_whose_socket_has_gone_is_finished_before_the_server_ends(toy: Toy) -> None:
    async with ready_client(toy) as client:
        await client.subscribe("1", "{ slow }")
        await toy.world.until(sources=1)
    ending = asyncio.create_task(toy.endpoint.close())
    toy.world.may_finish.set()
    await ending
    assert toy.world.sources == 0


async def test_closing_the_socket_ends_its_sources(toy: Toy) -> None:
    async with ready_client(toy) as client:
        await client.subscribe("1", COUNTER)
        await client.subscribe("2", COUNTER, variables={"size": 1})
        await toy.world.until(sources=2)
    await toy.world.until(sources=0)
    assert len(toy.subscriptions) == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($text: String!) { echo(text: $text) }", "BAD_USER_INPUT"),
        ("subscription($size: Int!) { counter(size: $size) { value } }", "BAD_USER_INPUT"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { refused }", "NOT_FOUND"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{" + "hello " * 2_000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{" + "a{" * 900 + "}" * 901, "GRAPHQL_PARSE_FAILED"),
        ("{ echo(text: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { counter { value } counters { value } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { counters(first: 10001) { value } }", "LIMIT_EXCEEDED"),
        ("{" + "hello " * 11 + "}", "LIMIT_EXCEEDED"),
    ],
)
async def test_an_error_of_one_operation_is_its_error_message_and_its_siblings_live_on(
    toy: Toy, client: RawClient, caplog: pytest.LogCaptureFixture, query: str, code: str
) -> None:
    await client.subscribe("sibling", COUNTER)
    assert await client.receive() == counted(0, "sibling")
    await client.subscribe("1", query)
    message = await client.receive()
    assert (message["id"], message["type"]) == ("1", "error")
    assert [each["extensions"]["code"] for each in message["payload"]] == [code]
    toy.world.change(1)
    assert await client.receive() == counted(1, "sibling")
    assert not caplog.records


async def test_a_source_that_fails_ends_with_a_masked_error(
    client: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.subscribe("1", "subscription { broken }")
    messages = [await client.receive(), await client.receive()]
    assert [message["type"] for message in messages] == ["next", "error"]
    (shown,) = messages[1]["payload"]
    assert shown["message"] == "Internal server error"
    (record,) = caplog.records
    assert shown["extensions"]["id"] in record.getMessage()
    await client.roundtrip()


async def test_an_error_of_a_field_comes_with_the_data(client: RawClient) -> None:
    await client.subscribe("1", "{ hello refused }")
    payload = (await client.receive())["payload"]
    assert payload["data"] == {"hello": "world", "refused": None}
    assert payload["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert await client.receive() == completed()


@pytest.mark.parametrize(
    "variables", [b'{"a":"\\u0000"}', b'{"a":99999999999999999999}', b'{"a":18446744073709551615}']
)
async def test_a_value_that_is_refused_is_an_error_of_the_operation(
    client: RawClient, variables: bytes
) -> None:
    frame = b'{"id":"1","type":"subscribe","payload":{"query":"{ hello }","variables":' + variables + b"}}"
    await client.send(frame.decode())
    message = await client.receive()
    assert (message["id"], message["type"]) == ("1", "error")
    assert "/payload/variables/a" in message["payload"][0]["message"]


SUBSCRIBE = '{"id":"1","type":"subscribe","payload":'


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "1",
        "null",
        '"x"',
        "",
        "{",
        "{}",
        '{"type":1}',
        '{"type":"nonsense"}',
        '{"type":"connection_ack"}',
        '{"type":"start","id":"1","payload":{"query":"{ hello }"}}',
        '{"type":["ping"]}',
        '{"type":"connection_init","payload":"x"}',
        '{"type":"connection_init","payload":[]}',
        '{"type":"connection_init","payload":{"a":"\\u0000"}}',
        '{"type":"ping","payload":"x"}',
        '{"type":"pong","payload":[]}',
        '{"type":"ping","payload":{"a":NaN}}',
        '{"type":"ping","payload":{"a":"\\ud800"}}',
        '{"type":"ping","payload":{"a":"\\u0000"}}',
        '{"type":"complete"}',
        '{"type":"complete","id":{}}',
        '{"type":"complete","id":"1","more":99999999999999999999}',
        '{"type":"complete","id":"1","more":1e400}',
        '{"type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"id":{},"type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"id":1,"type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"id":"","type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"id":"' + "x" * 257 + '","type":"subscribe","payload":{"query":"{ hello }"}}',
        '{"id":"1","type":"subscribe"}',
        '{"id":99999999999999999999,"type":"subscribe","payload":{"query":"{ hello }"}}',
        SUBSCRIBE + "null}",
        SUBSCRIBE + "[]}",
        SUBSCRIBE + '{"query":null}}',
        SUBSCRIBE + '{"query":"{ hello }","operationName":{}}}',
        SUBSCRIBE + '{"query":"{ hello }","extensions":[]}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":{"a":NaN}}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":{"a":-Infinity}}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":{"a":"\\ud800"}}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":{"a":' + "9" * 5_000 + "}}}",
        '\ufeff{"type":"ping"}',
        '{"type":"ping"} {"type":"ping"}',
        SUBSCRIBE + '"{ hello }"}',
        SUBSCRIBE + '{"query":1}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":"x"}}',
        SUBSCRIBE + '{"query":"{ hello }","variables":{"a":' + "[" * 70 + "]" * 70 + "}}}",
        "[" * 30_000,
        "[" * 30_000 + "]" * 30_000,
        '{"a":' * 9_000 + "1" + "}" * 9_000,
        b'{"type":"ping"}',
        b"",
    ],
    ids=lambda frame: repr(frame[:40]),
)
async def test_a_malformed_frame_closes_with_4400_and_no_traceback(
    client: RawClient, caplog: pytest.LogCaptureFixture, frame: str | bytes
) -> None:
    await client.send(frame)
    code, reason = await client.closed()
    assert code == 4400
    assert reason
    assert not caplog.records


async def test_a_malformed_frame_before_connection_init_closes_with_4400(toy: Toy) -> None:
    async with raw_client(toy) as client:
        await client.send("[]")
        assert await client.closed() == (4400, "A message is an object, not an array.")


async def test_a_malformed_frame_ends_the_sources_of_its_socket(toy: Toy, client: RawClient) -> None:
    await client.subscribe("1", COUNTER)
    await toy.world.until(sources=1)
    await client.send("1")
    assert (await client.closed())[0] == 4400
    await toy.world.until(sources=0)


async def test_of_a_key_that_stands_twice_the_last_counts(client: RawClient) -> None:
    """As over HTTP: JSON leaves it open, and every value is looked at by what is kept."""
    await client.send('{"type":"connection_init","type":"ping"}')
    assert await client.receive() == {"type": "pong"}


@pytest.mark.parametrize("is_fragmented", [False, True])
async def test_text_that_is_not_utf_8_closes_with_4400_and_no_traceback(
    client: RawClient, caplog: pytest.LogCaptureFixture, is_fragmented: bool
) -> None:
    if is_fragmented:
        await client.connection.send([b'{"type":"\xff', b'"}'], text=True)
    else:
        await client.connection.send(b'{"type":"\xff"}', text=True)
    assert (await client.closed())[0] == 4400
    assert not caplog.records


async def test_a_fragmented_message_is_read_whole(client: RawClient) -> None:
    await client.connection.send(['{"type":', '"ping"}'])
    assert await client.receive() == {"type": "pong"}


async def test_the_context_is_made_anew_for_each_operation_of_the_init_payload(toy: Toy) -> None:
    async with ready_client(toy, {"tenant": "acme"}) as client:
        await client.subscribe("1", "{ viewer }")
        assert (await client.receive())["payload"] == {"data": {"viewer": "acme"}}


async def test_a_page_of_another_origin_may_not_open_a_socket(toy: Toy) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with raw_client(toy, origin="https://evil.example"):
            pass


async def test_the_servers_own_pages_and_listed_origins_may(toy: Toy) -> None:
    async with raw_client(toy, origin=toy.origin) as client:
        await client.init()
    async with (
        served_toy(origins=("https://app.example",)) as other,
        raw_client(other, origin="https://app.example") as client,
    ):
        await client.init()


async def test_payloads_are_spliced_into_valid_json_whatever_they_hold(toy: Toy, client: RawClient) -> None:
    await client.subscribe("1", "query($t: String!) { echo(text: $t) }", variables={"t": '"}\n\u2028é🙂'})
    assert orjson.loads(orjson.dumps(await client.receive()))["payload"]["data"]["echo"] == '"}\n\u2028é🙂'
