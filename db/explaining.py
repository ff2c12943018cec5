"""Asking about an execution without changing it: why a step stands as it does, what an expression comes to."""

from collections.abc import Generator
from typing import Any

from sqlalchemy import bindparam, select

from db.commands.loading import answer
from db.commands.outcome import Actor
from db.commands.rows import clock, journal, steps
from db.commands.transaction import carry_out
from db.ids import IdKind, is_id
from db.requests import Fetch, Request
from db.runtime.effects import Decision, Evaluate, Evaluated, Load
from db.runtime.explanation import Explanation, explain
from db.runtime.expression_input import expression_input
from db.runtime.tree import Tree
from db.runtime.values import Step
from db.statements import Statement
from db.store import Store
from db.tables import WorkflowExecution, table_of

_executions = table_of(WorkflowExecution)
_ATTEMPT = Statement(
    select(steps.c.root_id, *(steps.c[name] for name in Step._fields), clock).where(
        steps.c.id == bindparam("id"), steps.c.tenant == bindparam("tenant")
    )
)
_EXECUTION = Statement(
    select(_executions.c.root_id, clock).where(
        _executions.c.id == bindparam("id"), _executions.c.tenant == bindparam("tenant")
    )
)
_DETAIL = Statement(
    select(journal.c.detail)
    .where(
        journal.c.tenant == bindparam("tenant"),
        journal.c.execution_id == bindparam("execution_id"),
        journal.c.step_execution_id == bindparam("id"),
        journal.c.kind == "STEP_DISABLED",
    )
    .order_by(journal.c.revision.desc())
    .limit(1)
)


async def explain_step(store: Store, actor: Actor, step_execution_id: str) -> Explanation | None:
    """Why an attempt stands as it does; None for any id but one of the tenant's attempts."""
    if not is_id(IdKind.STEP_EXECUTION, step_execution_id):
        return None
    return await store.database.consult(_explain(store, actor, step_execution_id))


async def evaluate_expression(store: Store, actor: Actor, execution_id: str, src: str) -> Evaluated | None:
    """What an expression comes to over an execution's data; None for any id but one of the tenant's executions."""
    if not is_id(IdKind.EXECUTION, execution_id):
        return None
    return await store.database.consult(_evaluate(store, actor, execution_id, src))


def _explain(store: Store, actor: Actor, id_: str) -> Generator[Request, Any, Explanation | None]:
    found = yield Fetch(_ATTEMPT, {"id": id_, "tenant": actor.tenant})
    if not found:
        return None
    root_id, *values, now = found[0]
    step = Step(*values)
    tree = Tree(root_id=root_id, revision=0, now=now)
    yield from answer(Load(step.execution_id), tree, actor, store.definitions)
    place = {"id": id_, "execution_id": step.execution_id, "tenant": actor.tenant}
    detail = yield Fetch(_DETAIL, place)
    return explain(tree, step, detail[0][0] if detail else None)


def _evaluate(
    store: Store, actor: Actor, execution_id: str, src: str
) -> Generator[Request, Any, Evaluated | None]:
    found = yield Fetch(_EXECUTION, {"id": execution_id, "tenant": actor.tenant})
    if not found:
        return None
    tree = Tree(root_id=found[0][0], revision=0, now=found[0][1])
    asking = _asking(tree, execution_id, src)
    return (yield from carry_out(tree, asking, actor, store.definitions))


def _asking(tree: Tree, execution_id: str, src: str) -> Decision[Evaluated]:
    yield Load(execution_id)
    data = yield from expression_input(tree, execution_id)
    answers: list[Evaluated] = yield Evaluate(((src, data),))
    return answers[0]
