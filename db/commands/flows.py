"""One command's walk over a tree, with fresh ids and the bounds that hold."""

from functools import partial

from db.ids import IdKind, new_id
from db.runtime.children import Ids
from db.runtime.flow import Flow
from db.runtime.tree import Tree
from db.store import Store

_IDS = Ids(partial(new_id, IdKind.EXECUTION), partial(new_id, IdKind.STEP_EXECUTION))


def new_flow(tree: Tree, store: Store) -> Flow:
    """The walk of a command."""
    return Flow(tree, _IDS, store.limits)
