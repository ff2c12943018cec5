"""The type of a sub-workflow's output is what the runtime completes one with."""

from typing import Any

import pytest

from db.runtime.limits import Limits
from db.runtime.schemas import violations
from server.types.outline import CHILDREN
from tests.model.families import LEAF
from tests.model.story import Story, batch, parent


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without any property that it does not name."""
    item = schema["properties"]["children"]["items"]
    children = {"type": "array", "items": item | {"additionalProperties": False}}
    return schema | {
        "properties": schema["properties"] | {"children": children},
        "additionalProperties": False,
    }


@pytest.mark.parametrize(("most", "is_truncated"), [(1 << 20, False), (400, True)])
def test_every_key_is_named(most: int, is_truncated: bool) -> None:
    story = Story(LEAF, parent(batch("leaf")), context={"items": [1, 2]}, limits=Limits(output_bytes=most))
    for each in story.children("kids"):
        story.complete("do", output={"text": "x" * 200}, within=each)
    output = story.output("kids")
    assert len(output["children"]) == 2
    assert output.get("truncated", False) is is_truncated
    assert violations(closed(CHILDREN), output) == []


def test_no_children_have_the_type_too() -> None:
    assert violations(closed(CHILDREN), Story(LEAF, parent(batch("leaf"))).output("kids")) == []
