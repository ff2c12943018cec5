"""What a transaction's script, the same for both databases, may ask for; it is sent the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from db.row_changes import Insert, Update
from db.runtime.expressions import EvaluationRequest
from db.statements import Statement


@dataclass(frozen=True, slots=True)
class Fetch:
    """Run a statement; its rows are sent back."""

    statement: Statement
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """Run a statement once for each of these values; nothing is sent back."""

    statement: Statement
    many: Sequence[Mapping[str, Any]]


class TreePosition(NamedTuple):
    """Where a tree stands: the id of its root, and its revision."""

    root_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class WriteRows:
    """Insert and update rows of several tables, in one round trip where the database can.

    With `only_at` they are written if the tree still stands there and nobody has locked it, all or none; it is sent back
    whether they were.
    """

    changes: Sequence[tuple[Insert | Update, Sequence[Mapping[str, Any]]]]
    only_at: TreePosition | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Evaluate expressions; a list of their outcomes is sent back."""

    requests: Sequence[EvaluationRequest]


@dataclass(frozen=True, slots=True)
class Rest:
    """Let the event loop go round, if the script runs on it; nothing is sent back."""


@dataclass(frozen=True, slots=True)
class Begin:
    """From here on in one transaction, until the script ends; nothing is sent back."""


Request = Begin | Rest | Fetch | Write | WriteRows | Ask
