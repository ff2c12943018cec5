"""What the model takes its expressions to mean is what JSONata makes of them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from db.runtime.expressions import ExpressionFailed, ExpressionInput
from db.runtime.expressions import evaluate as evaluate_jsonata
from tests.model.expressions import evaluate

SOURCES = [
    "__context__.a",
    "__context__.a = 1",
    "$count(__context__.items) > 1",
    "__steps__.x.outputData.ok",
    "__steps__.x.attempt > 1",
    "$exists(__each__)",
    "__each__",
    "__each__.id",
    "'child of ' & __execution__.name",
    "__context__.bad ? $error('boom') : __context__.items",
]
VALUES: list[Any] = [None, 0, 1, True, "", "text", [], [0], [1, 2], {}, {"id": 1}]
EXECUTION = {"id": "exec_1", "correlationId": "c", "name": "Root"}


@pytest.mark.parametrize("src", SOURCES)
@pytest.mark.parametrize("value", VALUES, ids=str)
def test_the_model_evaluates_as_jsonata_does(src: str, value: Any) -> None:
    data = {
        "__context__": {"a": value, "items": value, "bad": value},
        "__steps__": {"x": {"attempt": 2, "outputData": {"ok": value}}},
        "__execution__": EXECUTION,
        "__each__": value,
    }
    _compare(src, data)


@pytest.mark.parametrize("src", SOURCES)
def test_what_is_missing_is_nothing_to_both(src: str) -> None:
    steps = {"x": {"attempt": 1}}
    _compare(src, {"__context__": {}, "__steps__": steps, "__execution__": EXECUTION})


def _compare(src: str, data: dict[str, Any]) -> None:
    given = {name.strip("_"): value for name, value in data.items()}
    modelled = evaluate(src, data)
    try:
        value = evaluate_jsonata(src, ExpressionInput(**given), now=datetime.now(UTC)).value
    except ExpressionFailed:
        assert modelled.error is not None
    else:
        assert modelled.error is None
        assert modelled.value == value
        assert type(modelled.value) is type(value)
