"""`docs/api.md` lists every code, and its examples answer what it shows, against a real server."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import OperationType, parse, validate
from graphql.utilities import get_operation_ast
from websockets.asyncio.client import connect

from db.commands.guards import KEPT_FOR
from db.ids import IdKind
from db.runtime.changes import ChangeKind
from schema.refusals import _TYPES
from server.operations.responses import ErrorCode
from server.transports.protocol import CloseCode
from tests.api import SCHEMA
from tests.docs.owners import runs
from tests.docs.pages import ROOT, Block, all_blocks, blocks, code, prose, table
from tests.process.clients import LIVE, post
from tests.servers import ServerProcess

PAGE = "docs/api.md"
_ID = re.compile(r"\b(exec|step|tmpl|tver)_[0-9a-z]{26}\b")
_ZEROS = re.compile(r"\b(exec|step|tmpl|tver)_0{26}\b")
_CURSOR = re.compile(r"\b5b22[0-9a-f]{40,}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]{15}Z")
_SOURCES = [path for room in ("server", "schema", "db") for path in (ROOT / room).rglob("*.py")]


class Answers:
    """What the server answered so far: the ids and cursors that later examples name."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def remember(self, answer: str) -> None:
        self._last |= {found[1]: found[0] for found in _ID.finditer(answer)}
        for found in _CURSOR.finditer(answer):
            self._last["cursor"] = found[0]

    def filled(self, text: str) -> str:
        """Samples replaced by what was answered last."""
        text = _ZEROS.sub(lambda found: self._last[found[1]], text)
        return _CURSOR.sub(lambda _: self._last["cursor"], text)


def comparable(answer: Any) -> Any:
    """An answer with the same ids, cursors and times as any other."""
    text = _ID.sub(lambda found: f"{found[1]}_", json.dumps(answer, sort_keys=True))
    return json.loads(_TIME.sub("time", _CURSOR.sub("cursor", text)))


def examples() -> Iterator[tuple[Block, str, Any]]:
    """Each GraphQL block with its variables and, if it is shown, its answer."""
    found = blocks(PAGE)
    for number, block in enumerate(found):
        if block.language == "graphql":
            follow: dict[str, str] = {}
            for each in found[number + 1 : number + 3]:
                if each.language != "json" or each.role not in ("variables", "answer"):
                    break
                follow.setdefault(each.role, each.text)
            yield block, follow.get("variables", "{}"), json.loads(follow.get("answer", "null"))


@runs(*blocks(PAGE))
async def test_the_examples_answer_what_the_page_shows(live_server: ServerProcess) -> None:
    answers = Answers()
    async with httpx.AsyncClient() as client:
        for block, variables, shown in examples():
            operation = get_operation_ast(parse(block.text))
            assert operation, str(block)
            if operation.operation is OperationType.SUBSCRIPTION:
                await _begins(live_server, block, answers)
                continue
            body = {"query": block.text, "variables": json.loads(answers.filled(variables))}
            answer = (await client.post(f"{live_server.url}/graphql", json=body)).json()
            assert comparable(answer) == comparable(shown), str(block)
            answers.remember(json.dumps(answer))
    await _frames(live_server, answers)


async def _begins(server: ServerProcess, block: Block, answers: Answers) -> None:
    """A subscription's first event comes, and it has no errors."""
    variables = dict.fromkeys(re.findall(r"\$(\w+): ID!", block.text), answers.filled(f"exec_{'0' * 26}"))
    if "$after: String" in block.text:  # it begins with now, and nothing changes now
        first = (await post(server, "{ changes(first: 1) { pageInfo { endCursor } } }"))["data"]["changes"]
        variables["after"] = first["pageInfo"]["endCursor"]
    async with LIVE["websocket"](server, block.text, **variables) as payloads:
        assert "errors" not in await anext(payloads), str(block)


async def _frames(server: ServerProcess, answers: Answers) -> None:
    """The frames of the page, in order: sent ones are sent, received ones are what comes."""
    frames = [block for block in blocks(PAGE) if block.role in ("sent", "received")]
    assert frames
    async with connect(server.websocket_url, subprotocols=["graphql-transport-ws"]) as socket:
        for block in frames:
            if block.role == "sent":
                await socket.send(answers.filled(block.text))
            else:
                assert json.loads(await socket.recv()) == json.loads(block.text), str(block)


@pytest.mark.parametrize("block", all_blocks("graphql"), ids=str)
def test_every_graphql_block_is_valid(block: Block) -> None:
    assert validate(SCHEMA._schema, parse(block.text)) == []


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_every_json_block_is_json(block: Block) -> None:
    json.loads(block.text)


def test_every_code_of_an_error_beside_the_data_is_listed() -> None:
    of_resolvers = {
        found for path in _SOURCES for found in re.findall(r'"code": "([A-Z_]+)"', path.read_text())
    }
    told = [code(row[0]) for row in table(PAGE, "Errors beside the data")]
    assert told == sorted({each.value for each in ErrorCode} | of_resolvers)


def test_every_code_of_an_issue_that_is_no_definitions_is_listed() -> None:
    given = {
        found
        for path in _SOURCES
        for found in re.findall(r'(?:Issue|_wrong)\(\s*"([A-Z_]+)"', path.read_text())
    }
    rows = [row for row in table(PAGE, "Errors as data") if row[0].strip("`").isupper()]
    assert [code(row[0]) for row in rows] == sorted(given)


def test_every_member_of_the_results_is_listed() -> None:
    union = SCHEMA._schema.get_type("TransitionResult")
    members = [each.name for each in union.types if each.name != "TransitionSuccess"]
    rows = [row for row in table(PAGE, "Errors as data") if not row[0].strip("`").isupper()]
    assert [code(row[0]) for row in rows] == members


def test_every_mutation_is_listed() -> None:
    mutations = SCHEMA._schema.get_root_type(OperationType.MUTATION)
    assert [code(row[0]) for row in table(PAGE, "Commands")] == list(mutations.fields)


def test_every_kind_of_change_is_listed() -> None:
    assert [code(row[0]) for row in table(PAGE, "Changes")] == [each.value for each in ChangeKind]


def test_a_kind_of_change_that_is_never_made_is_told_so() -> None:
    runtime = "".join(path.read_text() for path in (ROOT / "db" / "runtime").glob("*.py"))
    never = [code(row[0]) for row in table(PAGE, "Changes") if row[1] == "Never in this version"]
    assert never == [each.value for each in ChangeKind if f"ChangeKind.{each.name}" not in runtime]


def test_the_links_of_a_tree_are_fields() -> None:
    for row, name in zip(table(PAGE, "Trees"), ("WorkflowExecution", "WorkflowStepExecution"), strict=True):
        told = {field for field in re.findall(r"`(\w+)`", row[1]) if field != "first"}
        assert told <= SCHEMA._schema.get_type(name).fields.keys()


@pytest.mark.parametrize("name", ["TRuntimeWorkflowExecution", "TRuntimeWorkflowStepExecution"])
def test_the_keys_of_runtime_are_those_of_the_seeds_types(name: str) -> None:
    types = (ROOT / "tests" / "seed" / "runtime-types.ts").read_text()
    keys = re.findall(
        r"^  (\w+)\??:", types.partition(f"export type {name} = {{")[2].partition("};")[0], re.MULTILINE
    )
    row = table(PAGE, "Runtime")["Step" in name]
    assert set(re.findall(r"`(\w+)`", f"{row[1]} {row[2]}")) == set(keys)


def test_keys_are_kept_as_long_as_the_page_says() -> None:
    assert f"does nothing for {KEPT_FOR.total_seconds() / 3600:g} hours" in " ".join(prose(PAGE).split())


def test_every_prefix_of_an_id_is_listed_with_its_type() -> None:
    told = {code(row[0]): code(row[1]) for row in table(PAGE, "Ids")}
    assert told == {kind.value: _TYPES[kind] for kind in IdKind}


def test_every_close_code_that_is_used_is_listed() -> None:
    text = "\n".join(path.read_text() for path in _SOURCES)
    used = [str(each.value) for each in CloseCode if f"CloseCode.{each.name}" in text]
    assert [code(row[0]) for row in table(PAGE, "WebSocket")] == used
