"""Documents in, JSON and the number of statements out; readable where the comparison with the reference is thorough."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, update

from db import tables
from db.ids import IdKind, new_id
from db.requests import Write
from db.statements import Statement
from db.tables import table_of
from tests.api import Api, definition
from tests.schema.answers import answer, refused

VERSIONS = table_of(tables.WorkflowTemplateVersion)
Json = dict[str, Any]


async def _versions(api: Api, count: int) -> str:
    """A template whose versions 1.0.0 … were made one day after the other; its key."""
    template = await api.publish(definition("verify"), key="paged")
    create = """
      mutation ($id: ID!, $version: String!, $definition: JSONObject!) {
        createWorkflowTemplateVersion(
          input: {workflowTemplateId: $id, version: $version, definition: $definition}
        ) { ... on TemplateSuccess { version { id } } }
      }
    """
    for number in range(1, count):
        given = {"id": template["id"], "version": f"{number + 1}.0.0", "definition": {"any": "thing"}}
        await api.data(create, **given)
    await api.store.database.transact(_day_by_day(template["id"], count))
    return "paged"


def _day_by_day(template_id: str, count: int) -> Generator[Write, Any, None]:
    clause = (
        update(VERSIONS)
        .where(VERSIONS.c.template_id == bindparam("template"), VERSIONS.c.version == bindparam("number"))
        .values(created_at=bindparam("at", type_=VERSIONS.c.created_at.type))
    )
    yield Write(
        Statement(clause),
        [
            {
                "template": template_id,
                "number": f"{number + 1}.0.0",
                "at": datetime(2024, 1, number + 1, tzinfo=UTC),
            }
            for number in range(count)
        ],
    )


# What an execution's page shows.


async def test_an_execution_with_its_steps_is_one_statement(api: Api) -> None:
    """Enums in the API's spelling, nested objects, an argument, and null where there is nothing."""
    await api.publish(definition("verify"), key="verify")
    started = await api.start("verify", context={"customerId": "c1"}, name="Ünï", correlationId="k")
    document = """
      query ($id: ID!) {
        workflowExecution(id: $id) {
          __typename name correlationId runtimeStatus completedAt context revision treeRevision failure { code }
          progress { total notStarted inProgress completed disabled failed }
          steps { stepId type status attempt enteredBy outputData definition { order dueIn } }
          verify: step(stepId: "verify") { name failure { code message } workflowExecution { name } }
          nothing: step(stepId: "no such step") { name }
        }
      }
    """
    data = await answer(api, document, 1, id=started["id"])
    common = {"attempt": 1, "outputData": None}
    assert data["workflowExecution"] == {
        "__typename": "WorkflowExecution",
        "name": "Ünï",
        "correlationId": "k",
        "runtimeStatus": "IN_PROGRESS",
        "completedAt": None,
        "context": {"customerId": "c1"},
        "revision": started["revision"],
        "treeRevision": started["revision"],
        "failure": None,
        "progress": {
            "total": 3,
            "notStarted": 1,
            "inProgress": 1,
            "completed": 1,
            "disabled": 0,
            "failed": 0,
        },
        "steps": [
            {"stepId": "start", "type": "START", "status": "COMPLETED", "enteredBy": []}
            | common
            | {"definition": {"order": 0, "dueIn": None}},
            {"stepId": "verify", "type": "HUMAN_CONFIRM", "status": "IN_PROGRESS", "enteredBy": ["t1"]}
            | common
            | {"definition": {"order": 1, "dueIn": "P3D"}},
            {"stepId": "end", "type": "END", "status": "NOT_STARTED", "enteredBy": []}
            | common
            | {"definition": {"order": 2, "dueIn": None}},
        ],
        "verify": {"name": "Verify", "failure": None, "workflowExecution": {"name": "Ünï"}},
        "nothing": None,
    }


async def test_the_graph_of_a_version_can_be_walked(api: Api) -> None:
    """Transitions in both directions, by step ids within their version."""
    await api.publish(definition("verify"), key="verify")
    document = """
      { workflowTemplate(key: "verify") { key activeVersion {
          version status
          steps { stepId outgoing { transitionId to { stepId incoming { from { stepId } isDefault } } } }
          transitions { transitionId label condition } stepGroups { groupId }
      } } }
    """
    data = await answer(api, document, 1)

    def into(step_id: str, source: str) -> Json:
        return {"stepId": step_id, "incoming": [{"from": {"stepId": source}, "isDefault": False}]}

    assert data["workflowTemplate"]["activeVersion"] == {
        "version": "1.0.0",
        "status": "PUBLISHED",
        "steps": [
            {"stepId": "start", "outgoing": [{"transitionId": "t1", "to": into("verify", "start")}]},
            {"stepId": "verify", "outgoing": [{"transitionId": "t2", "to": into("end", "verify")}]},
            {"stepId": "end", "outgoing": []},
        ],
        "transitions": [
            {"transitionId": "t1", "label": None, "condition": None},
            {"transitionId": "t2", "label": None, "condition": None},
        ],
        "stepGroups": [],
    }


async def test_a_command_shows_what_it_did_in_one_statement(api: Api) -> None:
    """The payload's members are found by the command's own values; of the statement's changes only its own are shown."""
    await api.publish(definition("verify"), key="verify")
    started = await api.start("verify")
    verify = next(step["id"] for step in started["steps"] if step["stepId"] == "verify")
    document = """
      mutation ($id: ID!) { completeStep(input: {id: $id, outputData: {verified: true}}) { ... on TransitionSuccess {
        changeCount
        workflowExecution { runtimeStatus }
        step { stepId status outputData }
        changes { kind fromStatus toStatus actor step { stepId } }
        two: changes(first: 2) { kind } none: changes(first: 0) { kind }
      } } }
    """
    result = (await answer(api, document, 1, id=verify))["completeStep"]
    assert result["workflowExecution"] == {"runtimeStatus": "COMPLETED"}
    assert result["step"] == {"stepId": "verify", "status": "COMPLETED", "outputData": {"verified": True}}
    assert result["changeCount"] == len(result["changes"])
    assert result["changes"][0] == {
        "kind": "STEP_COMPLETED",
        "fromStatus": "IN_PROGRESS",
        "toStatus": "COMPLETED",
        "actor": "tester",
        "step": {"stepId": "verify"},
    }
    assert result["changes"][-1]["kind"] == "EXECUTION_COMPLETED"
    assert result["two"] == [{"kind": change["kind"]} for change in result["changes"][:2]]
    assert result["none"] == []


async def test_a_refused_command_shows_the_node_as_it_is(api: Api) -> None:
    """A union's member is built in Python, and the object within it is projected by its own type."""
    await api.publish(definition("verify"), key="verify")
    started = await api.start("verify")
    document = """
      mutation ($id: ID!) { startWorkflowExecution(input: {id: $id}) {
        __typename
        ... on Error { message }
        ... on InvalidTransition {
          current wanted allowed
          node { __typename id ... on WorkflowExecution { runtimeStatus } ... on WorkflowStepExecution { status } }
        }
      } }
    """
    result = (await answer(api, document, 1, id=started["id"]))["startWorkflowExecution"]
    assert result.pop("message")
    assert result == {
        "__typename": "InvalidTransition",
        "current": "IN_PROGRESS",
        "wanted": "IN_PROGRESS",
        "allowed": ["COMPLETED", "FAILED", "CANCELLED"],
        "node": {"__typename": "WorkflowExecution", "id": started["id"], "runtimeStatus": "IN_PROGRESS"},
    }


async def test_each_root_field_is_one_statement(api: Api) -> None:
    """Merged fields are one, an alias is another, `__typename` is none."""
    await api.publish(definition("verify"), key="verify")
    document = """
      { __typename
        workflowTemplate(key: "verify") { key }
        ...Again
        again: workflowTemplate(key: "verify") { name }
        skipped: workflowTemplate(key: "verify") @skip(if: true) { name }
        workflowTemplates { totalCount } }
      fragment Again on Query { workflowTemplate(key: "verify") { name } }
    """
    assert await answer(api, document, 3) == {
        "__typename": "Query",
        "workflowTemplate": {"key": "verify", "name": "Verify customer"},
        "again": {"name": "Verify customer"},
        "workflowTemplates": {"totalCount": 1},
    }


async def test_what_is_not_selected_is_not_read(api: Api) -> None:
    """Large columns are named in the statement only where they are selected."""
    await api.publish(definition("verify"), key="verify")
    id_ = (await api.start("verify", context={"customerId": "c1"}))["id"]
    document = """
      query ($id: ID!, $large: Boolean!) { workflowExecution(id: $id) {
        name context @include(if: $large) steps { status outputData @include(if: $large) }
      } }
    """
    await answer(api, document, 1, id=id_, large=False)
    (small,) = api.database.statements
    await answer(api, document, 1, id=id_, large=True)
    (large,) = api.database.statements
    for column in ("context", "output_data"):
        assert column not in small
        assert column in large


# Pages.

PAGE = """
  query ($key: String!, $first: Int, $after: String, $last: Int, $before: String) {
    workflowTemplate(key: $key) { versions(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      nodes { version }
      pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
      edges { cursor }
    } }
  }
"""


async def _page(api: Api, key: str, **arguments: Any) -> tuple[list[str], bool, bool, list[str]]:
    """The versions of a page, whether there is more before and after it, and its cursors."""
    page = (await answer(api, PAGE, 1, key=key, **arguments))["workflowTemplate"]["versions"]
    assert page["totalCount"] == 5
    cursors = [edge["cursor"] for edge in page["edges"]]
    info = page["pageInfo"]
    assert info["startCursor"] == (cursors[0] if cursors else None)
    assert info["endCursor"] == (cursors[-1] if cursors else None)
    versions = [node["version"][0] for node in page["nodes"]]
    return versions, info["hasPreviousPage"], info["hasNextPage"], cursors


async def test_pages_run_through_the_list_in_both_directions(api: Api) -> None:
    """Newest first; `hasPreviousPage` and `hasNextPage` are exact, whatever was asked."""
    key = await _versions(api, 5)
    versions, *more, cursors = await _page(api, key)
    assert (versions, more) == (["5", "4", "3", "2", "1"], [False, False])
    five, four, _, two, one = cursors

    async def shown(**arguments: Any) -> tuple[str, bool, bool]:
        versions, before, after, _ = await _page(api, key, **arguments)
        return "".join(versions), before, after

    assert await shown(first=2) == ("54", False, True)
    assert await shown(first=2, after=four) == ("32", True, True)
    assert await shown(first=2, after=two) == ("1", True, False)
    assert await shown(first=2, after=one) == ("", True, False)
    assert await shown(last=2) == ("21", True, False)
    assert await shown(last=2, before=two) == ("43", True, True)
    assert await shown(last=2, before=four) == ("5", False, True)
    assert await shown(last=2, before=five) == ("", False, True)
    assert await shown(after=five, before=one) == ("432", True, True)
    assert await shown(first=0) == ("", False, True)
    assert await shown(last=0) == ("", True, False)


async def test_a_page_knows_of_what_lies_behind_its_other_cursor(api: Api) -> None:
    """`first` with `before`, `last` with `after`: the list does not end where the cursor cuts it off."""
    key = await _versions(api, 5)
    *_, (five, four, three, two, one) = await _page(api, key)
    versions, before, after, _ = await _page(api, key, first=3, before=three)
    assert (versions, before, after) == (["5", "4"], False, True)
    versions, before, after, _ = await _page(api, key, last=3, after=three)
    assert (versions, before, after) == (["2", "1"], True, False)
    versions, before, after, _ = await _page(api, key, first=3, after=two, before=four)
    assert (versions, before, after) == ([], True, True)
    versions, before, after, _ = await _page(api, key, first=3, after=one, before=five)
    assert (versions, before, after) == ([], True, False)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("totalCount", {"totalCount": 3}),
        ("__typename", {"__typename": "WorkflowTemplateVersionConnection"}),
        ("edges { __typename }", {"edges": [{"__typename": "WorkflowTemplateVersionEdge"}] * 2}),
        ("nodes { __typename }", {"nodes": [{"__typename": "WorkflowTemplateVersion"}] * 2}),
        ("pageInfo { hasNextPage }", {"pageInfo": {"hasNextPage": True}}),
        ("pageInfo { hasPreviousPage }", {"pageInfo": {"hasPreviousPage": False}}),
        ("pageInfo { __typename }", {"pageInfo": {"__typename": "PageInfo"}}),
        ("pageInfo { __typename @skip(if: true) }", {"pageInfo": {}}),
        ("totalCount @skip(if: true)", {}),
        ("nodes { id @skip(if: true) }", {"nodes": [{}, {}]}),
        ("edges { cursor @skip(if: true) }", {"edges": [{}, {}]}),
    ],
)
async def test_a_connection_answers_one_part_alone(api: Api, selection: str, expected: Json) -> None:
    """One row, and as many entries as the page has, whatever is selected of it."""
    key = await _versions(api, 3)
    document = f'{{ workflowTemplate(key: "{key}") {{ versions(first: 2) {{ {selection} }} }} }}'
    data = await answer(api, document, 1)
    assert data["workflowTemplate"]["versions"] == expected


@pytest.mark.parametrize("selection", ["totalCount", "__typename", "nodes { id }", "pageInfo { endCursor }"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("first: -1", "first is -1; it must be from 0 to 500."),
        ("first: 501", "first is 501; it must be from 0 to 500."),
        ("last: -1", "last is -1; it must be from 0 to 500."),
        ("last: 2147483647", "last is 2147483647; it must be from 0 to 500."),
        ("first: 1, last: 1", "first and last cannot be given together."),
        ('after: "nonsense"', "after is not a cursor of this list."),
        ('before: ""', "before is not a cursor of this list."),
    ],
)
async def test_a_wrong_page_is_refused_whatever_is_selected(
    api: Api, selection: str, arguments: str, message: str
) -> None:
    """Also where nothing of the page is selected, and where no row would have asked for it."""
    assert await refused(api, f"{{ workflowTemplates({arguments}) {{ {selection} }} }}") == message
    nested = f'{{ workflowTemplate(key: "none") {{ versions({arguments}) {{ {selection} }} }} }}'
    assert await refused(api, nested) == message


TIME = "2024-01-01T00:00:00.000000Z"
FORGED = {
    "of another list": '["journal", "epoch", 1, 2]',
    "no keys": '["createdAt"]',
    "nothing": "[]",
    "no list": '{"createdAt": 1}',
    "a text": '"createdAt"',
    "null": "null",
    "a number for a time": f'["createdAt", 5, "{TIME}"]',
    "a number for an id": f'["createdAt", "{TIME}", 5]',
    "null for an id": f'["createdAt", "{TIME}", null]',
    "one key too many": f'["createdAt", "{TIME}", "x", "y"]',
    "no such day": '["createdAt", "2023-02-29T00:00:00.000000Z", "x"]',
    "no such time": '["createdAt", "2023-02-28T24:00:00.000000Z", "x"]',
    "another spelling of the time": '["createdAt", "2024-01-01T00:00:00Z", "x"]',
    "a time that PostgreSQL has": '["createdAt", "infinity", "x"]',
    "a NUL in the id": f'["createdAt", "{TIME}", "a\\u0000b"]',
    "a lone surrogate": f'["createdAt", "{TIME}", "\\ud800"]',
    "no JSON": "[",
}


@pytest.mark.parametrize("content", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_cursor_isrefused(api: Api, content: str) -> None:
    """Tag, length and kinds of a cursor are checked before the database sees it (projection 7, trap 27)."""
    document = "query ($cursor: String) { workflowTemplates(after: $cursor) { totalCount } }"
    assert (
        await refused(api, document, cursor=content.encode().hex()) == "after is not a cursor of this list."
    )


@pytest.mark.parametrize("cursor", ["zz", "5", "é", "🧭", "\0", "\ud800", " "])
async def test_a_cursor_that_is_no_hex_isrefused(api: Api, cursor: str) -> None:
    """Neither does what is no cursor at all reach the database."""
    document = "query ($cursor: String) { workflowTemplates(before: $cursor) { nodes { id } } }"
    assert await refused(api, document, cursor=cursor) == "before is not a cursor of this list."


async def test_a_cursor_need_not_name_an_entry_that_is_still_there(api: Api) -> None:
    """A cursor is a place in the order: pages stay put when entries come and go."""
    key = await _versions(api, 5)
    between = b'["createdAt", "2024-01-03T12:00:00.000000Z", "tver_gone"]'.hex()
    versions, before, after, _ = await _page(api, key, first=2, after=between)
    assert (versions, before, after) == (["3", "2"], True, True)


# What is not there, and what must not be said.

BY_ID = """
  query ($id: ID!) {
    workflowExecution(id: $id) { id }
    workflowTemplate(id: $id) { id }
    workflowTemplateVersion(id: $id) { id }
  }
"""


async def test_an_id_that_names_nothing_is_null(api: Api) -> None:
    """I6: malformed, of another type, or somebody else's; only where one could be there is the database asked."""
    template = await api.publish(definition("verify"), key="verify")
    execution = await api.start("verify")
    nothing = {"workflowExecution": None, "workflowTemplate": None, "workflowTemplateVersion": None}
    for malformed in (
        "",
        "exec_",
        "nonsense",
        execution["id"].upper(),
        f"{execution['id']} ",
        "exec_\0",
        "\ud800",
    ):
        assert await answer(api, BY_ID, 0, id=malformed) == nothing
    for kind, statements in zip(IdKind, (1, 0, 1, 1), strict=True):
        assert await answer(api, BY_ID, statements, id=new_id(kind)) == nothing
    own = {
        "workflowExecution": execution["id"],
        "workflowTemplate": template["id"],
        "workflowTemplateVersion": template["activeVersion"]["id"],
    }
    for name, id_ in own.items():
        assert await answer(api, BY_ID, 1, id=id_) == nothing | {name: {"id": id_}}
        assert await api.as_tenant("somebody-else").data(BY_ID, id=id_) == nothing


async def test_another_tenant_with_the_same_key_sees_its_own(api: Api, tenant: str) -> None:
    """Every table is read as the tenant sees it, also below an object that is shared by name alone."""
    await api.publish(definition("verify"), key="verify", name="Mine")
    other = api.as_tenant(f"{tenant}-other")
    document = '{ workflowTemplates { totalCount } workflowTemplate(key: "verify") { name versions { totalCount } } }'
    assert await other.data(document) == {"workflowTemplates": {"totalCount": 0}, "workflowTemplate": None}
    await other.publish(definition("verify"), key="verify", name="Theirs")
    for each, name in ((api, "Mine"), (other, "Theirs")):
        assert await each.data(document) == {
            "workflowTemplates": {"totalCount": 1},
            "workflowTemplate": {"name": name, "versions": {"totalCount": 1}},
        }


@pytest.mark.parametrize(
    "text", ["a\0b", "\ud800", "x\udfff"], ids=["NUL", "high surrogate", "low surrogate"]
)
async def test_a_text_that_no_database_takes_isrefused(api: Api, text: str) -> None:
    """I5: the same on both databases, at any depth and also where nothing is found."""
    message = "holds a NUL character or a lone surrogate."
    by_key = "query ($text: String!) { workflowTemplate(key: $text) { id } }"
    assert await refused(api, by_key, text=text) == f"key {message}"
    by_step = """
      query ($id: ID!, $text: String!) { workflowExecution(id: $id) {
        steps { workflowExecution { step(stepId: $text) { id } } }
      } }
    """
    assert await refused(api, by_step, id=new_id(IdKind.EXECUTION), text=text) == f"stepId {message}"


async def test_a_nul_in_the_document_isrefused(api: Api) -> None:
    """A literal is a value like any other."""
    message = await refused(api, r'{ workflowTemplate(key: "a\u0000b") { id } }')
    assert message == "key holds a NUL character or a lone surrogate."


async def test_exactly_one_of_id_and_key_finds_a_template(api: Api) -> None:
    """Null is the same as absent."""
    for arguments in ("", "(id: null)", "(key: null, id: null)", '(id: "x", key: "x")'):
        message = await refused(api, f"{{ workflowTemplate{arguments} {{ id }} }}")
        assert message == "Give exactly one of id and key."


# What SQL would like to be asked otherwise.


async def test_a_response_key_may_be_any_name(api: Api) -> None:
    """Names that the statement itself uses, and one that PostgreSQL would cut."""
    await api.publish(definition("verify"), key="verify")
    keys = ["o", "n", "c", "j", "q", "rid", "w1", "values", "select", "_", "__x", "x" * 200]
    selection = " ".join(f"{key}: key" for key in keys)
    document = f'{{ workflowTemplate(key: "verify") {{ {selection} activeVersion {{ o: id }} }} }}'
    document = document.replace("__x: key", "x__x: key")
    data = (await answer(api, document, 1))["workflowTemplate"]
    assert list(data) == [*(key.replace("__x", "x__x") for key in keys), "activeVersion"]
    assert {data[key.replace("__x", "x__x")] for key in keys} == {"verify"}


@pytest.mark.parametrize("width", [50, 51, 60, 61, 100, 101, 250])
@pytest.mark.parametrize(
    "name", ["a", "a_very_long_name_that_does_not_fit_into_sixty_three_bytes_of_an_alias"]
)
async def test_an_object_may_have_many_fields(api: Api, width: int, name: str) -> None:
    """A function takes 100 arguments on PostgreSQL, 127 on SQLite; nulls stay."""
    key = await _versions(api, 2)

    def many(field: str) -> str:
        return " ".join(f"{name}_{number}: {field}" for number in range(width))

    document = f"""
      {{ workflowTemplate(key: "{key}") {{ {many("description")} versions(first: 1) {{
          {many("totalCount")} pageInfo {{ {many("hasNextPage")} }} edges {{ {many("__typename")} }}
      }} }} }}
    """
    data = (await answer(api, document, 1))["workflowTemplate"]
    keys = [f"{name}_{number}" for number in range(width)]
    versions = data.pop("versions")
    assert list(data.items()) == [(key, None) for key in keys]
    assert versions.pop("pageInfo") == dict.fromkeys(keys, True)
    assert versions.pop("edges") == [dict.fromkeys(keys, "WorkflowTemplateVersionEdge")]
    assert versions == dict.fromkeys(keys, 2)


async def test_a_nested_expression_fits_into_an_object_of_many_fields(api: Api) -> None:
    """`runtime` nests by itself as deep as anything; SQLite's parser takes 20 levels in all."""
    await api.publish(definition("verify"), key="verify")
    id_ = (await api.start("verify"))["id"]
    many = " ".join(f"a_{number}: reason" for number in range(130))
    document = """
      query ($id: ID!) { workflowExecution(id: $id) { steps { workflowExecution { %s runtime } } } }
    """
    data = await answer(api, document % many, 1, id=id_)
    shown = data["workflowExecution"]["steps"][0]["workflowExecution"]
    assert list(shown) == [*(f"a_{number}" for number in range(130)), "runtime"]
    assert list(shown["runtime"]["steps"]) == ["start", "verify", "end"]


async def test_a_document_may_nest_as_deep_as_it_is_admitted(api: Api) -> None:
    """Twelve levels of lists and connections: SQLite's parser alone would not take six."""
    key = await _versions(api, 2)
    document = "version"
    for _ in range(5):
        document = f"workflowTemplate {{ versions(first: 1) {{ edges {{ node {{ {document} }} }} }} }}"
    data: Any = await answer(
        api, f'{{ workflowTemplate(key: "{key}") {{ activeVersion {{ {document} }} }} }}', 1
    )
    data = data["workflowTemplate"]["activeVersion"]
    for _ in range(5):
        (edge,) = data["workflowTemplate"]["versions"]["edges"]
        data = edge["node"]
    assert data == {"version": "2.0.0"}


async def test_many_fields_with_long_names_do_not_grow_with_depth(api: Api) -> None:
    """Each part of an object stands in the statement once, however deep it nests."""
    await api.publish(definition("verify"), key="verify")
    name = "a_very_long_name_that_does_not_fit_into_sixty_three_bytes_of_an_alias"
    leaves = " ".join(f"{name}_{number}: id" for number in range(60))
    document = leaves
    for depth in range(5):
        document = f"{leaves} {('workflowTemplate', 'activeVersion')[depth % 2]} {{ {document} }}"
    await answer(api, f'{{ workflowTemplate(key: "verify") {{ activeVersion {{ {document} }} }} }}', 1)
    (statement,) = api.database.statements
    assert len(statement) < 3 * len(document)
