"""What happens to who watches a tree."""

from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole tree at one revision: `executions` with their `steps`, in the API's names, the root first."""

    revision: int
    epoch: str
    reason: str
    executions: list[JSON]


@dataclass(frozen=True, slots=True)
class Changed:
    """The next changes, in the API's names, by revision. EXECUTION_CREATED has also the `parentStep` of a child."""

    revision: int
    changes: list[JSON]


@dataclass(frozen=True, slots=True)
class Ended:
    """The tree has come to rest; `status` is the root's, as `WorkflowExecution.runtimeStatus`."""

    revision: int
    status: str


@dataclass(frozen=True, slots=True)
class Away:
    """The connection is lost and will be made again; told once until `Back`."""

    why: str


@dataclass(frozen=True, slots=True)
class Back:
    """The connection is there again."""


Event = Snapshot | Changed | Ended | Away | Back
