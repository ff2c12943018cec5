"""Log events: the ids of what they belong to, and nothing that a client has sent (`security.md` O1, A7)."""

import json
import logging
from collections.abc import Callable

import asyncpg
import pytest

from db.ids import IdKind, new_id
from server.telemetry.log import JSONFormatter, TextFormatter, told
from server.telemetry.trail import MOST_EXECUTIONS, begin_request, begin_trail, trail


def record(message: str, error: Exception | None = None, **more: object) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("server.test", logging.WARNING, __file__, 1, message, (), exc_info)
    made.__dict__.update(more)
    return made


def raised(raising: Callable[[], object]) -> Exception:
    try:
        raising()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


async def test_an_event_has_the_ids_of_its_request_tenant_and_executions() -> None:
    id_, other = new_id(IdKind.EXECUTION), new_id(IdKind.EXECUTION)
    begin_request("r-1")
    begin_trail("acme", {"id": id_, "input": {"id": other, "note": "secret"}, "text": "secret", "n": 1})
    event = json.loads(JSONFormatter().format(record("done", outcome="ok", colour="secret")))
    assert (event["request_id"], event["tenant"], event["execution_ids"]) == ("r-1", "acme", [id_, other])
    assert (event["level"], event["logger"], event["message"]) == ("warning", "server.test", "done")
    assert event["outcome"] == "ok"
    assert "secret" not in str(event)


async def test_what_is_not_known_is_left_out_and_an_event_is_one_line() -> None:
    text = JSONFormatter().format(record("two\nlines"))
    assert "\n" not in text
    assert json.loads(text).keys() == {"time", "level", "logger", "message", "process"}


async def test_operations_of_one_request_have_executions_of_their_own() -> None:
    first, second = new_id(IdKind.EXECUTION), new_id(IdKind.EXECUTION)
    begin_request("r-2")
    begin_trail("acme", {"id": first})
    begin_trail("acme", {"id": second})
    assert (trail().request_id, trail().execution_ids) == ("r-2", [second])


async def test_the_executions_of_an_event_are_bounded() -> None:
    begin_trail("acme", {str(n): new_id(IdKind.EXECUTION) for n in range(MOST_EXECUTIONS + 5)})
    assert len(trail().execution_ids) == MOST_EXECUTIONS


def test_without_a_request_nothing_is_kept() -> None:
    trail().meet(new_id(IdKind.EXECUTION))
    assert trail().execution_ids == []


def failing_statement() -> None:
    error = asyncpg.NotNullViolationError("null value in column x")
    error.detail = "Failing row contains (swordfish)."
    raise error


def failing_command() -> None:
    try:
        failing_statement()
    except asyncpg.PostgresError as cause:
        raise RuntimeError("it could not be written") from cause


@pytest.mark.parametrize("formatter", [TextFormatter(), JSONFormatter()])
def test_the_rows_that_postgresql_quotes_are_not_logged(formatter: logging.Formatter) -> None:
    text = formatter.format(record("Unexpected error", raised(failing_command)))
    assert "swordfish" not in text
    assert "null value in column x" in text
    assert "it could not be written" in text
    assert "failing_statement" in text


def test_an_error_is_told_below_its_cause() -> None:
    text = told(raised(failing_command))
    assert text.index("NotNullViolationError: null value") < text.index("RuntimeError: it could not")


def test_a_cause_that_was_suppressed_is_not_told() -> None:
    def failing() -> None:
        try:
            failing_statement()
        except asyncpg.PostgresError:
            raise RuntimeError("it could not be written") from None

    assert "NotNullViolationError" not in told(raised(failing))
