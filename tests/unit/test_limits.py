"""What one operation may ask for (`security.md` A4)."""

from typing import Any

import pytest
from graphql import GraphQLError, GraphQLSchema, build_schema, get_introspection_query, parse, validate
from strawberry.printer import print_schema

from schema.schema import build_schema as build_ours
from server.operations.limits import OperationLimits, Sizes, check_document, check_nodes, check_variables
from server.operations.limits.measure import Measuring, OperationMeasure, measure_operations
from tests.frontend_documents import document, operation_names, sample_variables

SCHEMA = build_schema("""
    type Query {
      item(id: ID): Item
      items(first: Int, last: Int): ItemConnection!
      many(first: Int = 20): [Item!]!
      named(ids: [ID!]!): [Item]!
      bulk(input: BulkInput!): BulkResult!
      watched(first: Int = 30): Watched!
      nothing: Boolean
    }
    type Subscription { items(first: Int = 50): ItemConnection! }
    type Item {
      id: ID!
      tags: [String!]!
      parent: Item
      parts: [Item!]!
      children(first: Int, last: Int): ItemConnection!
    }
    type ItemConnection { edges: [ItemEdge!]! nodes: [Item!]! pageInfo: PageInfo! totalCount: Int! }
    type ItemEdge { cursor: String! node: Item! }
    type PageInfo { hasNextPage: Boolean! }
    scalar JSON
    input Condition { in: [ID!] and: [Condition!] holds: JSON }
    input BulkInput { limit: Int = 100 reason: String }
    type BulkSuccess { done: Int! results: [Result!]! }
    type Failed { issues: [Issue!]! }
    type Issue { code: String! }
    union Result = Item | Failed
    union BulkResult = BulkSuccess | Failed
    type Watched { entries: [Item!]! }
""")
LIMITS = OperationLimits()
OURS = build_schema(print_schema(build_ours()))


def measured(text: str, schema: GraphQLSchema = SCHEMA) -> OperationMeasure:
    """The measure of the only operation."""
    (operation,) = measure_operations(schema, Sizes(schema), parse(text))
    return operation


def nodes(text: str, **variables: Any) -> int:
    return measured(text).cost.nodes(variables)


def refusals(text: str, **variables: Any) -> list[GraphQLError]:
    """Everything that is over a limit."""
    operation = measured(text)
    return check_document(LIMITS, [operation]) + check_nodes(LIMITS, operation, variables)


def held(types: str, **variables: Any) -> int:
    """How much variables of these types hold, where that is too much; else 0."""
    operation = measured(f"query ({types}) {{ item {{ id }} }}")
    found = check_variables(LIMITS, SCHEMA, operation, variables)
    return sum((error.extensions or {})["actual"] for error in found)


def over(text: str, **variables: Any) -> dict[str, int]:
    """The limits that are passed, with what the operation came to."""
    found = [error.extensions or {} for error in refusals(text, **variables)]
    return {each["limit"]: each["actual"] for each in found}


def nested(depth: int) -> str:
    """An operation so deep."""
    return "{ item " + "{ parent " * (depth - 2) + "{ id }" + " }" * (depth - 1)


# ---- Depth


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("{ nothing }", 1),
        ("{ item { id } nothing }", 2),
        ("{ ... { ... on Query { ... { item { ... { ... on Item { id } } } } } } }", 2),
        ("{ ...Q } fragment Q on Query { item { ...I } } fragment I on Item { parent { id } }", 3),
        ("{ item { ...I parent { parent { ...I } } } } fragment I on Item { parent { id } }", 5),
    ],
)
def test_depth_counts_fields_and_no_fragments(text: str, depth: int) -> None:
    assert measured(text).total.depth.fields == depth


def test_an_operation_is_at_most_12_deep() -> None:
    assert over(nested(12)) == {}
    (error,) = refusals(nested(13))
    assert error.message == "The operation is over the limit of depth: 13, and at most 12 are allowed."
    assert error.extensions == {"limit": "depth", "actual": 13, "maximum": 12}
    (place,) = error.locations or []
    assert nested(13)[place.column - 1 :].startswith("id")


def test_inline_fragments_count_no_depth() -> None:
    assert over("{ item " + "{ ... " * 100 + "{ id }" + " }" * 101) == {}


# ---- Introspection


def test_the_standard_introspection_query_passes_and_one_that_is_deeper_does_not() -> None:
    standard = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    operation = measured(standard)
    assert (operation.total.introspection.fields, operation.total.depth.fields) == (15, 0)
    assert over(standard) == {}
    deeper = (
        standard.replace("fragment TypeRef on __Type {", "fragment TypeRef on __Type { ofType {", 1) + "}"
    )
    assert over(deeper) == {"introspection depth": 16}


def test_introspection_asks_for_no_nodes() -> None:
    assert nodes("{ __schema { types { fields { args { type { name } } } } } item { __typename } }") == 1


# ---- Aliases, directives, root fields


def test_at_most_30_aliases_wherever_they_stand() -> None:
    aliases = " ".join(f"a{i}: id" for i in range(15))
    assert over(f"{{ item {{ {aliases} parent {{ {aliases} }} }} }}") == {}
    assert over(f"{{ item {{ {aliases} more: parent {{ {aliases} }} }} }}") == {"aliases": 31}
    twice = f"{{ item {{ ...F parent {{ ...F }} b: id }} }} fragment F on Item {{ {aliases} }}"
    assert over(twice) == {"aliases": 31}


def test_at_most_50_directives_wherever_they_stand() -> None:
    fields = "id @skip(if: false) " * 25
    assert over(f"{{ item {{ {fields} ... @include(if: true) {{ parent {{ {fields} }} }} }} }}") == {
        "directives": 51
    }
    assert over(f"{{ item {{ {fields} ... {{ parent {{ {fields} }} }} }} }}") == {}
    others = "query($n: Int @x) @x { ...F @x } fragment F on Query @x { nothing @x }"
    assert measured(others).total.directives == 5


def test_at_most_10_root_fields() -> None:
    assert over("{ " + "nothing " * 10 + "}") == {}
    assert over("{ ...F nothing " + "nothing " * 8 + "} fragment F on Query { nothing item { id } }") == {
        "root fields": 11
    }


# ---- Nodes


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("nothing __typename", 0),
        ("item { id tags }", 1),
        ("item { parent { id } }", 2),
        ("item { parts { id } }", 1 + 10),
        ("item { parts { parts { id } } }", 1 + 10 * (1 + 10)),
        ("many { id }", 20),
        ("many(first: 3) { parent { id } }", 3 * 2),
        ("items { totalCount }", 1),
        ("items { pageInfo { hasNextPage } }", 2),
        ("items { nodes { id } }", 1 + 50),
        ("items { edges { node { id } } }", 1 + 50 * 2),
        ("items(first: 5) { nodes { id } edges { cursor } }", 1 + 5 + 5),
        ("items(last: 7) { nodes { id } }", 1 + 7),
        ("items(first: null, last: 7) { nodes { id } }", 1 + 7),
        ("items(first: 0) { nodes { parts { id } } }", 1),
        ("items(first: -5) { nodes { id } }", 1),
        ("items(first: 5) { nodes { children(first: 4) { nodes { id } } } }", 1 + 5 * (1 + 1 + 4)),
        ("items(first: 5) { ...P } ", 1 + 5),
        ("items(first: 5) { ... { nodes { parts { id } } } }", 1 + 5 * 11),
        ('bulk(input: { limit: 7 }) { ... on BulkSuccess { done results { __typename } } }', 1 + 7),
        ("bulk(input: {}) { ... on BulkSuccess { results { ... on Item { id } } } }", 1 + 100),
        ("bulk(input: { limit: 2 }) { ... on BulkSuccess { results { ... on Failed { issues { code } } } } }", 1 + 2 * 11),
        ("watched { entries { id } }", 1 + 30),
        ("watched(first: 4) { entries { parent { id } } }", 1 + 4 * 2),
    ],
)  # fmt: skip
def test_what_a_selection_costs(selection: str, expected: int) -> None:
    fragment = "fragment P on ItemConnection { nodes { id } }" if "...P" in selection else ""
    assert nodes(f"{{ {selection} }} {fragment}") == expected


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("query($n: Int) { items(first: $n) { nodes { id } } }", {"n": 9}, 1 + 9),
        ("query($n: Int) { items(first: $n) { nodes { id } } }", {"n": None}, 1 + 50),
        ("query($n: Int) { items(first: $n) { nodes { id } } }", {}, 1 + 50),
        ("query($n: Int) { many(first: $n) { id } }", {}, 20),
        ("query($n: Int, $m: Int) { items(first: $n, last: $m) { nodes { id } } }", {"m": 3}, 1 + 3),
        (
            "query($n: Int) { items(first: $n) { nodes { children(first: $n) { nodes { id } } } } }",
            {"n": 10},
            1 + 10 * (2 + 10),
        ),
        (
            "query($n: Int) { items(first: $n) { ...P } } "
            "fragment P on ItemConnection { nodes { id } edges { node { id } } }",
            {"n": 10},
            1 + 10 + 10 * 2,
        ),
        (
            "query($i: BulkInput!) { bulk(input: $i) { ... on BulkSuccess { results { __typename } } } }",
            {"i": {"limit": 8}},
            1 + 8,
        ),
        (
            "query($n: Int) { bulk(input: { limit: $n }) { ... on BulkSuccess { results { __typename } } } }",
            {"n": 8},
            1 + 8,
        ),
        ("subscription($n: Int) { items(first: $n) { nodes { id } } }", {"n": 9}, 1 + 9),
    ],
)  # fmt: skip
def test_a_size_may_be_given_by_a_variable(text: str, variables: dict[str, Any], expected: int) -> None:
    assert validate(SCHEMA, parse(text)) == []
    assert nodes(text, **variables) == expected


@pytest.mark.parametrize(("given", "entries"), [("", 50), ("(first: 500)", 500)])
def test_h6_a_live_list_counts_as_the_page_of_the_query_does(given: str, entries: int) -> None:
    field = f"workflowExecutions{given}"
    live = f"subscription {{ {field} {{ entries {{ workflowExecution {{ steps {{ id }} }} }} }} }}"
    page = f"query {{ {field} {{ edges {{ node {{ steps {{ id }} }} }} }} }}"
    for text in (live, page):
        assert validate(OURS, parse(text)) == []
        assert measured(text, OURS).cost.nodes({}) == 1 + entries * (2 + 10)


def test_a_list_by_ids_is_as_long_as_those() -> None:
    assert nodes('{ named(ids: ["a", "b", "c"]) { id parent { id } } }') == 6
    given = "query ($ids: [ID!]!) { named(ids: $ids) { id parent { id } } }"
    assert nodes(given, ids=["a"] * 500) == 1_000


def test_at_most_10_000_nodes_and_the_costliest_root_field_is_named() -> None:
    text = "query Pages($n: Int) { item { id } items(first: 500) { nodes { children(first: $n) { totalCount } } } }"
    assert over(text, n=500) == {}
    wide = "query Pages($n: Int) { item { id } items(first: $n) { nodes { children(first: 20) { nodes { id } } } } }"
    (error,) = refusals(wide, n=500)
    assert error.message == (
        "The operation 'Pages' is over the limit of nodes: 11,002, and at most 10,000 are allowed."
    )
    (place,) = error.locations or []
    assert wide[place.column - 1 :].startswith("items")
    assert over(wide, n=400) == {}


# ---- Hostile and broken documents


def fragments(count: int, body: str) -> str:
    """Fragments that each spread the next one, as `body` says, until one that selects the id."""
    links = [f"fragment F{i} on Item {{ {body.replace('NEXT', f'...F{i + 1}')} }}" for i in range(count)]
    return " ".join([*links, f"fragment F{count} on Item {{ id }}"])


def visits(text: str) -> int:
    """How many selections are looked at to measure the only operation."""
    parsed = parse(text)
    measuring = Measuring(SCHEMA, Sizes(SCHEMA), parsed)
    measuring.operation(parsed.definitions[0])  # type: ignore[arg-type]
    return measuring.visits


def test_a_fragment_is_measured_once_however_often_it_is_spread() -> None:
    """A bomb of under 700 bytes, which other rules would unfold to a million fields."""
    bomb = "{ item { ...F0 } }" + fragments(10, "parent { NEXT NEXT } parts { NEXT NEXT }")
    assert len(bomb) < 760
    assert visits(bomb) == 2 + 10 * 6 + 1
    assert set(over(bomb)) == {"nodes"}
    aliased = "{ item { ...F0 } }" + fragments(20, "NEXT a: id NEXT")
    assert visits(aliased) == 2 + 20 * 3 + 1
    assert over(aliased) == {"aliases": 2**20 - 1}


def test_numbers_that_have_no_end_are_cut_off() -> None:
    bomb = "{ item { ...F0 } }" + fragments(200, "a: id NEXT NEXT")
    assert over(bomb) == {"aliases": 10**9}
    deep = "query($n: Int) { item { ...F0 } }" + fragments(
        11, "children(first: $n) { nodes { NEXT NEXT } } NEXT"
    )
    assert over(deep, n=10**9)["nodes"] == 10**9
    assert nodes("{ many(first: " + "9" * 5000 + ") { id } }") == 10**9


def test_long_chains_of_fragments_need_no_stack() -> None:
    chain = "query($n: Int) { item { ...F0 } }" + fragments(2_000, "children(first: 1) { totalCount } NEXT")
    assert nodes(chain) == 2_001
    varying = "query($n: Int) { item { ...F0 } }" + fragments(
        150, "children(first: $n) { nodes { id } } NEXT"
    )
    assert nodes(varying, n=3) == 1 + 150 * 4


@pytest.mark.parametrize(
    "text",
    [
        "{ item { ...F } } fragment F on Item { id ...F }",
        "{ item { ...F } } fragment F on Item { parent { ...G ...G } } fragment G on Item { parent { ...F ...F } }",
        "{ item { ...Missing } missing { missing { id } } ... on Missing { missing } nothing { id } }",
        "{ items(first: \"x\", last: {a: 1}, other: $missing) { nodes } item bulk(input: 5) { id } }",
        "subscription { missing { id } } mutation M { missing { id } }",
    ],
)  # fmt: skip
def test_what_is_wrong_otherwise_is_left_to_other_rules(text: str) -> None:
    parsed = parse(text)
    assert validate(SCHEMA, parsed)
    assert check_document(LIMITS, measure_operations(SCHEMA, Sizes(SCHEMA), parsed)) == []


# ---- Our own schema and clients


@pytest.mark.parametrize("name", operation_names())
def test_what_frontends_send_is_within_every_limit(name: str) -> None:
    operation = measured(document(name), OURS)
    assert check_document(LIMITS, [operation]) == []
    assert check_nodes(LIMITS, operation, sample_variables(name)) == []


# ---- Values in variables


def test_items_and_members_of_variables_are_counted_together() -> None:
    most = LIMITS.values
    assert held("$ids: [ID!]!", ids=["a"] * most) == 0
    assert held("$ids: [ID!]!", ids=["a"] * (most + 1)) == most + 1
    assert held("$a: [ID!], $b: [ID!]", a=["a"] * most, b=["b"]) == most + 1
    assert held("$c: [Condition!]", c=[{}] * 1_000_000) == 1_000_000
    assert held("$c: Condition", c={"and": [{"in": ["a"] * most}]}) == most + 3
    assert held("$c: Condition", c={"and": [{"and": [{}] * 100}] * 100}) > most
    assert held("$c: Condition", c={f"unknown{n}": 1 for n in range(most + 1)}) == most + 1


def test_json_is_one_value_and_what_does_not_fit_its_type_is_left_to_be_refused_for_that() -> None:
    assert held("$c: Condition", c={"holds": [1] * 1_000_000}) == 0
    assert held("$json: JSON, $id: ID, $ids: [ID!]", json=[1] * 10_000, id=[1] * 10_000, ids={}) == 0
    assert held("$c: Condition, $ids: [ID!]", c=[1] * 10_000, ids=None, other=[1] * 10_000) == 0
    assert held("$c: Unknown", c=[1] * 10_000) == 0
