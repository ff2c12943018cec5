"""One tenant's view of a world, asked through the projection and through the reference."""

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import orjson

from db.ids import IdKind, new_id
from db.store import Store
from tests.api import Api
from tests.schema.documents import Document, Writer
from tests.schema.expressions import EXPRESSIONS
from tests.schema.fabricated import SCHEMA, CountingPlans, FabricatedContext, fabricated_context
from tests.schema.filter_pools import filter_documents, filter_values
from tests.schema.pages import AS_COMMITTED, BY_INDEX, Order
from tests.schema.payloads import Payloads, random_payloads
from tests.schema.reference import Reference
from tests.schema.rows import Digits, Rows, exact_json, load_rows
from tests.schema.values import Pools, Values

SDL = SCHEMA.as_str()


@dataclass(frozen=True, slots=True)
class View:
    """One tenant's view, both ways."""

    api: Api
    context: FabricatedContext
    reference: Reference
    pools: Pools

    def draw(self, random: Random) -> Document:
        """A document about what this tenant has."""
        return Writer(self.reference.schema, random, Values(random, self.pools)).write()

    def draw_list(self, random: Random) -> Document:
        """A document that asks a list in one of its many ways."""
        return Writer(self.reference.schema, random, Values(random, self.pools)).write_list()

    async def compare(self, document: Document) -> None:
        """The projection answers as the reference does: compiled, from the plan cache, and for other values."""
        for number, values in enumerate((document.values[0], *document.values)):
            plans = self.context.plans
            assert isinstance(plans, CountingPlans)
            compiled = plans.compiled
            await self._compare(document.text, values)
            if number == 1 and len(document.text) <= 16 << 10:
                assert plans.compiled == compiled, f"compiled again: {document}"

    async def _compare(self, text: str, values: dict[str, Any]) -> None:
        expected = self.reference.answer(text, values)
        statements = self.api.database.statements
        statements.clear()
        result = await SCHEMA.execute(text, variable_values=values, context_value=self.context)
        data = exact_json(orjson.dumps(result.data))
        told = f"\n{text}\n{values}\n{statements}"
        codes = {(error.extensions or {}).get("code") for error in result.errors or ()}
        assert codes == ({"BAD_USER_INPUT"} if expected.refused else set()), f"{result.errors}{told}"
        assert repr(data) == repr(_exact(expected.data)), f"\n{data}\n{_exact(expected.data)}{told}"
        if not expected.refused:
            # Fewer where an answer is the same for every request and row, and so known by now.
            assert len(statements) <= expected.statements, told
        if data is not None:
            failed = {error.path[0] for error in result.errors or () if error.path}
            assert failed == expected.refused, f"{result.errors}{told}"


def _exact(value: Any) -> Any:
    """What graphql-core's answer is once it has been written as JSON and read again."""
    match value:
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case float():
            return Digits(value)
    return str(value) if isinstance(value, str) and not isinstance(value, Digits) else value


async def views_of(store: Store, random: Random, tenants: tuple[str, str], stranger: str) -> list[View]:
    """Each tenant's view of what both and the stranger have."""
    rows = await load_rows(store.database, (*tenants, stranger))
    return [await _view(store, random, rows, tenant) for tenant in tenants]


async def _view(store: Store, random: Random, rows: Rows, tenant: str) -> View:
    reference = Reference(SDL, rows, store.database.kind, tenant)
    payloads = await random_payloads(random, store, tenant, reference)
    reference.payload = payloads.find
    api = Api(store, tenant)
    context = fabricated_context(
        api.context, tuple(payloads.transitions), tuple(payloads.templates), tuple(payloads.claims)
    )
    return View(api, context, reference, _pools(payloads, rows, tenant))


def _pools(payloads: Payloads, rows: Rows, tenant: str) -> Pools:
    reference = payloads.reference
    return Pools(
        ids=_ids(payloads, rows, tenant),
        keys=[*(each["key"] for each in reference.objects["WorkflowTemplate"]), "no-such-key"],
        step_ids=["start", "end", *(f"step-{number}" for number in range(10))],
        sources=list(EXPRESSIONS),
        cursor=partial(_cursor, reference),
        wrong_cursors=_wrong_cursors(reference),
        payloads=len(payloads.transitions),
        values=filter_values(reference),
        documents=filter_documents(reference),
    )


def _cursor(reference: Reference, random: Random, type_name: str, order: Order) -> str:
    """Of a row, or of one that is not there any more."""
    listed = reference.objects[type_name]
    if order is AS_COMMITTED:
        edges: list[dict[str, Any]] = [{"xid": 0, "position": 0}, {"xid": 2**62, "position": 1}]
        return reference.cursor_of(order, random.choice([*listed, *edges]))
    if order is BY_INDEX:
        listed = [row for row in listed if row["child_index"] is not None]
    row = random.choice(listed)
    if random.randrange(100) >= 90:
        row = row | {"id": random.choice(("tver_m", "exec_", "z"))}
    return reference.cursor_of(order, row)


def _ids(payloads: Payloads, rows: Rows, tenant: str) -> dict[str, list[str]]:
    """By root field: what is there, and everybody else's, of other types, and what is none."""
    objects = payloads.reference.objects
    executions = [each["id"] for each in objects["WorkflowExecution"]]
    parents = [each["parent_id"] for each in objects["WorkflowExecution"] if each["parent_id"] is not None]
    others = [row["id"] for row in rows["workflow_execution"] if row["tenant"] != tenant][:3]
    others += [row["id"] for row in rows["step_execution"] if row["tenant"] != tenant][:3]
    malformed = ["", "exec_", "nonsense", f"{executions[0]} ", executions[0].upper()]
    none = [*others, *malformed, *(new_id(kind) for kind in IdKind)]
    templates = [each["id"] for each in objects["WorkflowTemplate"]]
    versions = [each["id"] for each in objects["WorkflowTemplateVersion"]]
    steps = [each["id"] for each in objects["WorkflowStepExecution"]]
    return {
        # The more children it has, the more there is to ask about it.
        "workflowExecution": [*executions, *parents * 3, *none],
        "evaluateExpression": [*executions, *none],
        "changes": [*(each["root_id"] for each in objects["WorkflowExecution"]), *none],
        "workflowTemplate": [*templates * 4, *none],
        "workflowTemplateVersion": [*versions * 2, *none],
        "explainStep": [*payloads.explanations, *none],
        "node": [*executions, *parents, *steps, *templates, *versions, *none],
    }


def _wrong_cursors(reference: Reference) -> list[str]:
    change = reference.objects["Change"][0]
    time = "2024-02-29T23:59:59.500000Z"
    return [
        "",
        "zz",
        "00",
        "é",
        "5b5d",
        "7b7d",
        "31",
        "6e756c6c",
        reference.cursor("journal", reference.epoch, change["xid"]),
        reference.cursor("journal", reference.epoch, change["xid"], str(change["position"])),
        reference.cursor("journal", reference.epoch, -1, change["position"]),
        reference.cursor("journal", None, change["xid"], change["position"]),
        reference.cursor("createdAt"),
        reference.cursor("createdAt", 5, "x"),
        reference.cursor("createdAt", time, 7),
        reference.cursor("createdAt", time, "a\0b"),
        reference.cursor("createdAt", "2023-02-29T23:59:59.500000Z", "x"),
        reference.cursor("createdAt", "2024-02-29T23:59:59Z", "x"),
        reference.cursor("createdAt", "infinity", "x"),
        reference.cursor("createdAt", time, "x", "y"),
        reference.cursor(["createdAt"], time, "x"),
        reference.cursor("childIndex", "1", "x"),
        reference.cursor("childIndex", 1.0, "x"),
        reference.cursor("childIndex", True, "x"),
        reference.cursor("childIndex", None, "x"),
        reference.cursor("childIndex", 2**63, "x"),
        reference.cursor("childIndex", 1, "\ud800"),
        reference.cursor("childIndex", time, "x"),
        reference.cursor("startedAt", None, "x"),
        reference.cursor("name asc,id asc", 5, "x"),
        reference.cursor("name desc,created_at asc,id asc", "x", "x"),
    ]
