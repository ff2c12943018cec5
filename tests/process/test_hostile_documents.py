"""Documents and values that must not run, over every transport: the code, and what is wrong (`security.md` A4, A6)."""

from typing import Any

import pytest

from tests.process.clients import TRANSPORTS, Answer, Ask
from tests.process.hostile.documents import DOCUMENTS, HARMLESS, LONG, Document
from tests.process.hostile.values import GROUPS
from tests.servers import ServerProcess

LONGEST_MESSAGE = 1_000

over_every_transport = pytest.mark.parametrize("ask", TRANSPORTS.values(), ids=TRANSPORTS.keys())


def assert_refused(answer: Answer, code: str, fragment: str) -> None:
    """Nothing is shown, every error has a code, and the first says this."""
    assert not answer.get("data"), answer
    first = answer["errors"][0]
    assert first["extensions"]["code"] == code, first
    assert fragment in first["message"]
    for error in answer["errors"]:
        assert error["extensions"]["code"] != "INTERNAL_SERVER_ERROR"
        assert len(error["message"]) <= LONGEST_MESSAGE


@over_every_transport
@pytest.mark.parametrize("sent", DOCUMENTS.values(), ids=DOCUMENTS.keys())
async def test_a_hostile_document_is_refused_and_the_error_says_why(
    server: ServerProcess, ask: Ask, sent: Document
) -> None:
    document, code, fragment = sent
    assert_refused(await ask(server, document), code, fragment)


@pytest.mark.parametrize("transport", ["http", "events"])
@pytest.mark.parametrize("sent", LONG.values(), ids=LONG.keys())
async def test_so_is_a_long_one_that_a_socket_would_not_take(
    server: ServerProcess, transport: str, sent: Document
) -> None:
    document, code, fragment = sent
    assert_refused(await TRANSPORTS[transport](server, document), code, fragment)


@over_every_transport
@pytest.mark.parametrize("sent", HARMLESS.values(), ids=HARMLESS.keys())
async def test_what_only_looks_hostile_is_answered(
    server: ServerProcess, ask: Ask, sent: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    document, variables, data = sent
    assert await ask(server, document, **variables) == {"data": data}


VALUES = {
    f"{group}: {name}": (each.document, value, fragment)
    for group, each in GROUPS.items()
    for name, (value, fragment) in each.values.items()
}


@pytest.mark.parametrize(("document", "value", "fragment"), VALUES.values(), ids=VALUES.keys())
async def test_a_hostile_value_is_refused_and_the_error_says_why(
    server: ServerProcess, document: str, value: Any, fragment: str
) -> None:
    assert_refused(await TRANSPORTS["http"](server, document, v=value), "BAD_USER_INPUT", fragment)
