"""The life cycles as Mermaid diagrams, drawn from the tables that the server itself obeys."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from db.runtime.statuses import EXECUTION_TRANSITIONS, STEP_TRANSITIONS
from db.runtime.versions import VERSION_TRANSITIONS

Status = TypeVar("Status", bound=StrEnum)


def execution_diagram() -> str:
    """The life of an execution."""
    return _diagram(EXECUTION_TRANSITIONS)


def step_diagram() -> str:
    """The life of one attempt at a step."""
    return _diagram(STEP_TRANSITIONS)


def version_diagram() -> str:
    """The life of a template version."""
    return _diagram(VERSION_TRANSITIONS)


def arrows(table: Mapping[Status, Sequence[Status]]) -> list[tuple[str, str]]:
    """Every change of status that a table has, in the API's spelling."""
    return [(status.name, wanted.name) for status, follow in table.items() for wanted in follow]


def _diagram(table: Mapping[Status, Sequence[Status]]) -> str:
    """A status with nothing after it is an end; the first one is where a life begins."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(table)).name}"]
    lines += [f"    {status} --> {wanted}" for status, wanted in arrows(table)]
    lines += [f"    {status.name} --> [*]" for status, follow in table.items() if not follow]
    return "\n".join(["```mermaid", *lines, "```"])
