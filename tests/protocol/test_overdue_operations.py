"""An operation takes at most so long (`security.md` A4); a mutation that has begun is told of, not cut off."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from server.operations.limits import OperationLimits
from tests.protocol.raw_client import ready_client
from tests.protocol.serving import Toy, served_toy


@pytest.fixture
async def hasty() -> AsyncIterator[Toy]:
    """A server whose operations may take no time to speak of."""
    async with served_toy(operation_limits=OperationLimits(seconds=0.05)) as serving:
        yield serving
        serving.world.may_finish.set()


async def post(toy: Toy, query: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=toy.origin, trust_env=False) as client:
        return await client.post("/graphql", json={"query": query})


async def test_a_query_is_stopped(hasty: Toy) -> None:
    response = await post(hasty, "{ hello slow }")
    message = "The query took longer than 0.05 s and was stopped."
    assert response.json() == {
        "errors": [{"message": message, "extensions": {"code": "TIMEOUT"}}],
        "data": None,
    }


async def test_waiting_for_somebody_else_is_not_counted(hasty: Toy) -> None:
    """Two fields that wait longer than the operation may take; what they do afterwards counts."""
    answer = asyncio.create_task(post(hasty, "{ patient again: patient hello }"))
    await asyncio.sleep(0.2)
    assert not answer.done()
    hasty.world.may_finish.set()
    assert (await answer).json() == {"data": {"patient": "done", "again": "done", "hello": "world"}}


async def test_what_follows_the_waiting_is_counted(hasty: Toy) -> None:
    hasty.world.may_finish.set()
    (error,) = (await post(hasty, "{ patient slowAfterWaiting }")).json()["errors"]
    assert error["extensions"] == {"code": "TIMEOUT"}


async def test_a_mutation_goes_on_and_the_client_is_told(hasty: Toy) -> None:
    response = await post(hasty, "mutation { changeSlowly(value: 7) }")
    (error,) = response.json()["errors"]
    assert (response.json()["data"], error["extensions"]) == (None, {"code": "TIMEOUT"})
    assert error["message"].startswith("The mutation takes longer than 0.05 s. It goes on")
    assert hasty.world.value == 0
    hasty.world.may_finish.set()
    await hasty.endpoint.close()
    assert hasty.world.value == 7


async def test_over_a_socket_both_are_errors_beside_no_data(hasty: Toy) -> None:
    async with ready_client(hasty) as client:
        for query in ("{ slow }", "mutation { changeSlowly(value: 7) }"):
            await client.subscribe("1", query)
            message = await client.receive()
            assert (message["type"], message["payload"]["data"]) == ("next", None)
            assert [each["extensions"]["code"] for each in message["payload"]["errors"]] == ["TIMEOUT"]
            assert await client.receive() == {"id": "1", "type": "complete"}


async def test_a_subscription_may_last(hasty: Toy) -> None:
    """Its second event comes after a mutation was overdue, so later than the bound."""
    async with ready_client(hasty) as client:
        await client.subscribe("1", "subscription { counter { value } }")
        assert (await client.receive())["payload"]["data"] == {"counter": {"value": 0}}
        await post(hasty, "mutation { changeSlowly(value: 7) }")
        hasty.world.may_finish.set()
        assert (await client.receive())["payload"]["data"] == {"counter": {"value": 7}}
