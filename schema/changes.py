"""The root field `changes`: the journal in pages."""

import orjson
import strawberry

from db.runtime.changes import ChangeKind
from schema.projection.arguments import Arguments, Values
from schema.projection.declare import Argument, JournalOrder, connection
from schema.projection.rows import Row

_ROOT = "rootWorkflowExecutionId"


def _tree(_parent: Row, arguments: Arguments) -> str | None:
    return arguments.value(_ROOT) if arguments.given(_ROOT) else None


def _kinds(values: Values) -> str:
    return orjson.dumps([ChangeKind(kind) for kind in values["kinds"]]).decode()


def _listed(parent: Row, change: Row, arguments: Arguments) -> str:
    """One tree's revisions come in order; of all trees only what nobody can come before any more (J4)."""
    sql, root = arguments.query.sql, _tree(parent, arguments)
    # All revisions are above 0: said, or SQLite counts by the index of the tenant's changes instead of the tree's.
    of_tree = f"{change.root_id} = {root} and {change.revision} > 0"
    conditions = [sql.settled(change.xid) if root is None else of_tree]
    if arguments.given("kinds"):
        conditions.append(sql.one_of(change.kind, arguments.derived(_kinds, "json")))
    return " and ".join(conditions)


changes = connection(
    "The journal over plain HTTP. Of one tree by revision, with all that is committed; of all trees in the order of "
    "their transactions, where on PostgreSQL a change shows once no older transaction is running. A cursor from "
    "before a restore is refused with the code `EPOCH_CHANGED`, one after which changes are no longer kept with "
    "`CURSOR_EXPIRED`.",
    _listed,
    JournalOrder(_tree),
    (
        Argument(
            "root_workflow_execution_id", strawberry.ID | None, "Only changes of the tree below this root."
        ),
        Argument("kinds", list[ChangeKind] | None, "Only changes of these kinds."),
    ),
)
