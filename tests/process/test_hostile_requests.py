"""Requests and frames that no client sends by itself: what each is answered, and that the socket's server lives on."""

import json

import pytest

from tests.process.clients import http_client, open_events
from tests.process.hostile.bodies import ODD_HEADERS, PLACES, REQUESTS, Refused
from tests.process.hostile.frames import FRAMES, HARMLESS, Closed
from tests.process.raw import close_frame, exchange, text_frame
from tests.servers import ServerProcess

INIT = text_frame(b'{"type":"connection_init"}')
BYE = text_frame(b"bye")  # which closes the socket with 4400
TREE = 'subscription { workflowExecutionTree(rootId: "x") { __typename } }'
CHANGES = "subscription { changes { __typename } }"


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_hostile_request_is_refused_and_the_error_says_why(
    server: ServerProcess, sent: Refused
) -> None:
    request, status, code, fragment = sent
    response = await exchange(server, request)
    assert response.status == status, response
    answer = json.loads(response.body)
    assert set(answer) == {"errors"}
    assert answer["errors"][0]["extensions"]["code"] == code
    assert fragment in answer["errors"][0]["message"]


@pytest.mark.parametrize("sent", ODD_HEADERS.values(), ids=ODD_HEADERS.keys())
async def test_odd_headers_change_nothing(server: ServerProcess, sent: bytes) -> None:
    response = await exchange(server, sent)
    assert (response.status, json.loads(response.body)) == (200, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
async def test_a_place_that_is_none_is_an_event_with_an_error(server: ServerProcess, place: str) -> None:
    headers = {"Accept": "text/event-stream", "Last-Event-ID": place.encode("latin-1")}
    async with http_client(server) as client:
        response = await client.post("/graphql", json={"query": TREE}, headers=headers)
    assert response.status_code == 200
    name, data = response.text.strip().split("\n\n")[1].split("\n")
    assert name == "event: next"
    (error,) = json.loads(data.removeprefix("data: "))["errors"]
    assert error["extensions"]["code"] in {"NOT_FOUND", "BAD_USER_INPUT"}


@pytest.mark.parametrize("sent", FRAMES.values(), ids=FRAMES.keys())
async def test_a_hostile_frame_closes_its_socket_and_says_why(server: ServerProcess, sent: Closed) -> None:
    frames, code, fragment = sent
    closed, reason = await close_frame(server, INIT + frames)
    assert closed == code, reason
    assert fragment in reason


@pytest.mark.parametrize("sent", HARMLESS.values(), ids=HARMLESS.keys())
async def test_frames_that_mean_nothing_leave_it_open(server: ServerProcess, sent: bytes) -> None:
    """What closes it is the frame that comes after them."""
    code, reason = await close_frame(server, INIT + sent + BYE)
    assert (code, reason[:26]) == (4400, "The message is not JSON: u")


async def test_a_stream_of_everything_goes_on_beside_all_this(server: ServerProcess) -> None:
    async with open_events(server, CHANGES) as events:
        for request, *_ in list(REQUESTS.values())[:20]:
            await exchange(server, request)
        server.graphql(
            'mutation { createWorkflowExecution(input: {workflowTemplateKey: "verify"}) { __typename } }'
        )
        assert [await anext(events) for _ in range(2)][1][0] == "next"
