"""The same commands leave the same rows on SQLite and PostgreSQL, ids and times apart."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from db.connect import database_for
from db.store import Store
from tests.api import Api
from tests.contract.commands import give, ids_of
from tests.contract.samples import sequence
from tests.contract.tables import everything

pytestmark = pytest.mark.postgresql

TASKS = st.lists(
    st.tuples(
        st.sampled_from(["human.confirm", "human.form", "human.doc_upload", "sys.task"]),
        st.sampled_from([None, "P1M", "PT0.25S"]),
        st.booleans(),
    ),
    max_size=3,
)
# Zero has no sign in `jsonb`.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number or 0.0)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)
WHICH = st.integers(min_value=0, max_value=7)
COMMANDS = st.lists(
    st.one_of(
        st.tuples(st.just("createWorkflowExecution"), st.booleans(), OBJECTS),
        st.tuples(st.just("startWorkflowExecution"), WHICH, st.none()),
        st.tuples(st.just("cancelWorkflowExecution"), WHICH, st.none() | TEXTS),
        st.tuples(st.just("completeStep"), WHICH, OBJECTS | st.just({"ok": True})),
        st.tuples(st.just("completeStep"), WHICH, st.just({"ok": True})),
        st.tuples(st.just("failStep"), WHICH, TEXTS),
        st.tuples(st.sampled_from(["activate", "deprecate", "delete", "publish"]), st.none(), st.none()),
    ),
    max_size=12,
)


class Session:
    """A tenant who gives commands by place: the n-th execution, the n-th step of the newest one."""

    def __init__(self, store: Store) -> None:
        self.api = Api(store, f"same-{uuid4().hex}")
        self.version = ""
        self.executions: list[dict[str, Any]] = []

    async def publish(self, raw: dict[str, Any]) -> None:
        template = await self.api.publish(raw, key="same")
        self.version = template["activeVersion"]["id"]

    async def carry_out(self, command: str, argument: Any, value: Any) -> Any:
        match command:
            case "createWorkflowExecution":
                answer = await give(
                    self.api, command, workflowTemplateKey="same", start=argument, context=value
                )
                if answer["__typename"] == "TransitionSuccess":
                    self.executions.append(answer["workflowExecution"])
                return answer
            case "startWorkflowExecution":
                return await give(self.api, command, id=self._execution(argument))
            case "cancelWorkflowExecution":
                return await give(self.api, command, id=self._execution(argument), reason=value)
            case "completeStep":
                return await give(self.api, command, id=self._step(argument), outputData=value)
            case "failStep":
                return await give(self.api, command, id=self._step(argument), code="BROKEN", message=value)
        return await give(self.api, f"{command}WorkflowTemplateVersion", id=self.version)

    def _execution(self, which: int) -> str:
        if not self.executions:
            return "exec_none"
        id_: str = self.executions[which % len(self.executions)]["id"]
        return id_

    def _step(self, which: int) -> str:
        steps = list(ids_of(self.executions[-1]).values()) if self.executions else ["step_none"]
        return steps[which % len(steps)]


@pytest.fixture
async def stores(sqlite_url: str, postgresql_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Both databases at once."""
    async with database_for(sqlite_url) as sqlite, database_for(postgresql_url) as postgresql:
        yield Store(sqlite), Store(postgresql)


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    database=None,
    # A failing example is small as it is; shrinking would run the commands a thousand times more.
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(tasks=TASKS, commands=COMMANDS)
async def test_the_same_commands_leave_the_same_rows_on_both_databases(
    stores: tuple[Store, Store], tasks: list[Any], commands: list[Any]
) -> None:
    raw = definition_of(tasks)
    sessions = [Session(store) for store in stores]
    answers: list[list[Any]] = [[], []]
    for session, told in zip(sessions, answers, strict=True):
        await session.publish(raw)
        for command in commands:
            told.append(await session.carry_out(*command))
    rows = [await everything(session.api.store.database, session.api.context.tenant) for session in sessions]
    sqlite, postgresql = (
        normalised({"rows": held, "answers": told}) for held, told in zip(rows, answers, strict=True)
    )
    assert sqlite == postgresql


def definition_of(tasks: list[tuple[str, str | None, bool]]) -> dict[str, Any]:
    """A sequence whose tasks may be due and may want an output of a shape."""
    raw = sequence("same", *((f"s{number}", type_) for number, (type_, _, _) in enumerate(tasks)))
    for step, (_, due_in, checked) in zip(raw["steps"][1:-1], tasks, strict=True):
        if due_in:
            step["dueIn"] = due_in
        if checked:
            step["outputSchema"] = {
                "type": "object",
                "required": ["ok"],
                "properties": {"ok": {"const": True}},
            }
    return raw


class Names:
    """Ids and times by the order in which they first come."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        return self._known.setdefault(text, f"#{len(self._known)}")


PREFIXES = ("exec_", "step_", "tmpl_", "tver_", "same-")
# Of the databases' own making: a sequence for all tenants, a transaction's id.
OWN = ("position", "xid")


def normalised(found: Any) -> str:
    """What was found, with ids replaced by names and times by their order, as text that can be compared."""
    rows = {
        name: [
            {key: value for key, value in row.items() if name != "journal" or key not in OWN} for row in rows
        ]
        for name, rows in found["rows"].items()
    }
    # By creation, which ids sort by only from one millisecond to the next.
    for name, order in (("step_execution", "position"), ("step_definition", "position")):
        rows[name].sort(key=lambda row, order=order: (row.get("root_id", ""), row[order]))
    names = Names()
    return json.dumps(_named({"answers": found["answers"], "rows": rows}, names), indent=1, default=repr)


def _named(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {key: _named(value[key], names) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_named(item, names) for item in value]
    if isinstance(value, datetime):
        return names.of(value.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    if isinstance(value, str):
        return _text_named(value, names)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # `jsonb` writes 1e17 as an integer: the same number to those who read JSON numbers as doubles.
        return float(value)
    return value


def _text_named(text: str, names: Names) -> str:
    is_time = len(text) == 27 and text[10] == "T" and text.endswith("Z")
    if is_time or (text.startswith(PREFIXES) and len(text) > 30):
        return names.of(text.rstrip("/"))
    return text
