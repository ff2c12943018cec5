"""Writing what decisions did to a tree: rows that were made or changed, then the journal (`live.md` J1)."""

from collections.abc import Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from db.commands import rows
from db.requests import Request, Rest, WriteRows
from db.row_changes import Insert, Update
from db.runtime.tree import Tree
from db.runtime.values import Step

RowChange = tuple[Insert | Update, list[dict[str, Any]]]
Changes = Iterator[tuple[Insert | Update, Iterable[dict[str, Any]]]]
ROWS_A_TURN = 500
MOST_ROWS = 5_000


def write(tree: Tree, tenant: str) -> Generator[Request, Any, None]:
    """Write the rows that a decision made or changed, and its journal: in one statement if `is_one_statement`.

    Attempts that were replaced come first: a step has one current attempt at any moment. Thousands of rows are written by
    several statements, each of which is short.
    """
    if not tree.changes:
        return
    updated = ((change, list(values)) for change, values in _updated(tree, tree.replaced))
    replaced = [(change, many) for change, many in updated if many]
    if replaced:
        yield WriteRows(replaced)
    for piece in _pieces((yield from changes_of(tree, tenant))):
        yield WriteRows(piece)


def is_one_statement(tree: Tree) -> bool:
    """Whether what a decision did may be written by one statement."""
    return not tree.replaced and len(tree.created) + len(tree.changed) + len(tree.changes) <= MOST_ROWS


def _pieces(changes: list[RowChange]) -> Iterator[list[RowChange]]:
    """The changes in their order, so many rows at a time."""
    piece: list[RowChange] = []
    room = MOST_ROWS
    for change, many in changes:
        for first in range(0, len(many), MOST_ROWS):
            part = many[first : first + MOST_ROWS]
            if len(part) > room:
                yield piece
                piece, room = [], MOST_ROWS
            piece.append((change, part))
            room -= len(part)
    yield piece


def changes_of(tree: Tree, tenant: str) -> Generator[Request, Any, list[RowChange]]:
    """All that a decision did but to attempts that were replaced; the journal last."""
    changes = []
    for change, values in (
        *_executions(tree, tenant),
        *_steps(tree, tenant),
        (rows.INSERT_LINK, (rows.link_values(each, tenant) for each in tree.links)),
        (rows.INSERT_CHANGE, (rows.change_values(tree, each, tenant) for each in tree.changes)),
    ):
        if many := (yield from _taken(values)):
            changes.append((change, many))
    return changes


def _taken(values: Iterable[dict[str, Any]]) -> Generator[Request, Any, list[dict[str, Any]]]:
    """All values, with a rest after some hundred."""
    many: list[dict[str, Any]] = []
    rest = iter(values)
    while taken := list(islice(rest, ROWS_A_TURN)):
        if many:
            yield Rest()
        many += taken
    return many


def _executions(tree: Tree, tenant: str) -> Changes:
    """No row is in two of these: a change of context goes with the other changes of its row."""
    touched = list(tree.executions.values())
    changed = [each for each in touched if each.id in tree.changed and each.id not in tree.created]
    yield (
        rows.INSERT_EXECUTION,
        (rows.execution_values(tree, each, tenant) for each in touched if each.id in tree.created),
    )
    if tree.root_id not in tree.created:
        yield _root(tree)
    below = [each for each in changed if each.id != tree.root_id]
    yield (
        rows.UPDATE_EXECUTION,
        (rows.execution_update(each) for each in below if each.id not in tree.written),
    )
    with_context = [each for each in below if each.id in tree.written]
    yield (
        rows.UPDATE_EXECUTION_CONTEXT,
        (rows.execution_update(each) | {"context": tree.contexts[each.id]} for each in with_context),
    )
    adopted = {id_: step for id_, step in tree.adoptions.items() if id_ not in tree.changed | tree.created}
    yield rows.UPDATE_PARENT_STEP, [{"key": id_, "parent_step_id": step} for id_, step in adopted.items()]


def _root(tree: Tree) -> RowChange:
    if tree.root_id not in tree.changed:
        return rows.UPDATE_TREE, [rows.tree_update(tree)]
    root = rows.execution_update(tree.executions[tree.root_id]) | rows.tree_update(tree)
    if tree.root_id in tree.written:
        return rows.UPDATE_ROOT_CONTEXT, [root | {"context": tree.contexts[tree.root_id]}]
    return rows.UPDATE_ROOT, [root]


def _steps(tree: Tree, tenant: str) -> Changes:
    current = [step for steps in tree.steps.values() for step in steps.values()]
    yield from _updated(tree, current)
    made = [step for step in (*tree.replaced, *current) if step.id in tree.created]
    yield rows.INSERT_STEP, (rows.step_values(tree, step, tenant) for step in made)


def _updated(tree: Tree, attempts: Iterable[Step]) -> Changes:
    """Attempts that were there before; an output is written with the change that brought it."""
    changed = [step for step in attempts if step.id in tree.changed and step.id not in tree.created]
    done = [step for step in changed if step.id in tree.written]
    yield (
        rows.UPDATE_STEP_OUTPUT,
        [rows.step_update(step) | {"output_data": tree.outputs[step.id]} for step in done],
    )
    leased = [step for step in changed if step.id in tree.leased - tree.written]
    yield (
        rows.UPDATE_STEP_LEASE,
        [rows.step_update(step) | {"lease_expires_at": step.lease_expires_at} for step in leased],
    )
    rest = [step for step in changed if step.id not in tree.written | tree.leased]
    yield rows.UPDATE_STEP, [rows.step_update(step) for step in rest]
