"""A server as `docs/hardening.md` sets it up for production: the checks of graphql-cop, and what it still runs (A5 to A8).

`closed` is the same server where any document runs: there the other switches and bounds have to hold by themselves.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from server.operations.document_directory import FRONTEND_QUERIES, documents_in
from server.operations.documents import sha256_of
from tests.databases import sqlite_url
from tests.frontend_documents import sample_variables
from tests.process.clients import TRANSPORTS, Answer, Ask, http_client, open_events, open_socket
from tests.process.commands import invoke
from tests.process.quiet import said_since_start
from tests.servers import NO_TLS, ServerProcess

PRODUCTION = {
    "STEPGRAPH_DOCUMENTS": "trusted",
    "STEPGRAPH_CONSOLE": "off",
    "STEPGRAPH_GRAPHIQL": "off",
    "STEPGRAPH_INTROSPECTION": "off",
    "STEPGRAPH_ORIGINS": "https://app.example",
}
ANY_DOCUMENT = {name: value for name, value in PRODUCTION.items() if name != "STEPGRAPH_DOCUMENTS"}
DOCUMENTS = {text.split("(")[0].split()[-1]: text for text in documents_in(FRONTEND_QUERIES).values()}

over_every_transport = pytest.mark.parametrize("ask", TRANSPORTS.values(), ids=TRANSPORTS.keys())


@contextmanager
def silent_server(directory: Path, variables: dict[str, str]) -> Iterator[ServerProcess]:
    """Whatever it is asked, it has nothing to say."""
    options = ("--demo", "--database", sqlite_url(directory / "production.db"))
    with ServerProcess(*options, cwd=directory, variables=variables) as server:
        yield server
        assert server.stop() == 0
        assert said_since_start(server.output) == []


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with silent_server(tmp_path_factory.mktemp("production"), PRODUCTION) as server:
        yield server


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with silent_server(tmp_path_factory.mktemp("closed"), ANY_DOCUMENT) as server:
        yield server


# ---- The checks of graphql-cop: documents

PROBES = {
    "aliases": ("query { " + " ".join(f"a{n}: __typename" for n in range(101)) + " }", "LIMIT_EXCEEDED"),
    "directives": ("query { __typename " + "@aa" * 60 + " }", "LIMIT_EXCEEDED"),
    "directives that are known": (
        "query { __typename " + "@include(if: true)" * 51 + " }",
        "LIMIT_EXCEEDED",
    ),
    "circular introspection": (
        "query { __schema { types " + "{ fields { type " * 4 + "{ name }" + " } }" * 4 + " } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "a circular fragment": (
        "query { ...A } fragment A on Query { __typename ...B } fragment B on Query { ...A }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fields that are repeated": ("query { " + "__typename " * 500 + "}", "LIMIT_EXCEEDED"),
    "introspection": (get_introspection_query(), "GRAPHQL_VALIDATION_FAILED"),
    "introspection of one type": ('{ __type(name: "Query") { name } }', "GRAPHQL_VALIDATION_FAILED"),
    "a field's suggestions": ("query { workflowExecutionz { id } }", "GRAPHQL_VALIDATION_FAILED"),
    "what makes careless servers fail": ("qwerty cop { abc }", "GRAPHQL_PARSE_FAILED"),
}
over_every_probe = pytest.mark.parametrize(("document", "code"), PROBES.values(), ids=PROBES.keys())


def codes(answer: Answer) -> set[str]:
    assert not answer.get("data")
    return {error["extensions"]["code"] for error in answer["errors"]}


@over_every_transport
@over_every_probe
async def test_in_production_no_probe_is_read(
    production: ServerProcess, ask: Ask, document: str, code: str
) -> None:
    answer = await ask(production, document)
    assert codes(answer) == {"DOCUMENT_NOT_TRUSTED"}
    assert len(answer["errors"]) == 1


@over_every_transport
@over_every_probe
async def test_where_any_document_runs_the_bounds_and_switches_refuse_it(
    closed: ServerProcess, ask: Ask, document: str, code: str
) -> None:
    assert codes(await ask(closed, document)) == {code}


@over_every_transport
async def test_nothing_is_traced(closed: ServerProcess, ask: Ask) -> None:
    assert await ask(closed, "query { __typename }") == {"data": {"__typename": "Query"}}
    for document in ("{ nope }", "{", "qwerty cop { abc }"):
        for error in (await ask(closed, document))["errors"]:
            assert error.keys() <= {"message", "locations", "extensions"}
            assert error["extensions"].keys() == {"code"}


# A mistake, and what an open server suggests.
MISTAKES = {
    "a field": ("{ workflowExecution(id: 1) { runtimeStatu } }", {}, "runtimeStatus"),
    "an argument": ("{ workflowTemplate(kei: 1) { id } }", {}, "key"),
    "a type": ("{ node(id: 1) { ... on WorkflowExecutio { id } } }", {}, "WorkflowExecution"),
    "an enum's value": (
        "{ workflowExecutions(where: {runtimeStatus: {eq: COMPLETE}}) { totalCount } }",
        {},
        "COMPLETED",
    ),
    "an input's field": (
        "{ workflowExecutions(where: {runtimeStatuz: {}}) { totalCount } }",
        {},
        "runtimeStatus",
    ),
    "a variable's field": (
        "query ($where: WorkflowExecutionWhere) { workflowExecutions(where: $where) { totalCount } }",
        {"where": {"runtimeStatuz": {}}},
        "runtimeStatus",
    ),
    "a variable's enum value": (
        "query ($where: WorkflowExecutionWhere) { workflowExecutions(where: $where) { totalCount } }",
        {"where": {"runtimeStatus": {"eq": "COMPLETE"}}},
        "COMPLETED",
    ),
}


@over_every_transport
@pytest.mark.parametrize(("document", "variables", "meant"), MISTAKES.values(), ids=MISTAKES.keys())
async def test_what_a_mistake_may_mean_is_told_by_an_open_server_only(
    server: ServerProcess, closed: ServerProcess, ask: Ask, document: str, variables: Any, meant: str
) -> None:
    told = json.dumps((await ask(server, document, **variables))["errors"])
    kept = json.dumps((await ask(closed, document, **variables))["errors"])
    assert "Did you mean" in told
    assert meant in told
    assert "Did you mean" not in kept
    assert meant not in kept.replace("runtimeStatuz", "").replace("WorkflowExecutionWhere", "")


# ---- The checks of graphql-cop: HTTP


async def test_a_batch_is_no_request(production: ServerProcess, closed: ServerProcess) -> None:
    for server in (production, closed):
        async with http_client(server) as http:
            response = await http.post("/graphql", json=[{"query": "{ __typename }"}] * 10)
        assert (response.status_code, codes(response.json())) == (400, {"BAD_REQUEST"})


async def test_a_mutation_by_get_is_refused(production: ServerProcess, closed: ServerProcess) -> None:
    mutation = DOCUMENTS["StartExecution"]
    variables = json.dumps(sample_variables("StartExecution"))
    for parameters in ({"query": mutation}, {"documentId": sha256_of(mutation)}):
        for server in (production, closed):
            async with http_client(server) as http:
                response = await http.get("/graphql", params={**parameters, "variables": variables})
            assert (response.status_code, response.headers["allow"]) == (405, "POST")
            assert codes(response.json()) == {"METHOD_NOT_ALLOWED"}


async def test_a_query_by_get_is_read_by_no_foreign_page(
    production: ServerProcess, closed: ServerProcess
) -> None:
    parameters = {"query": "{ __typename }"}
    async with http_client(production) as http:
        assert codes((await http.get("/graphql", params=parameters)).json()) == {"DOCUMENT_NOT_TRUSTED"}
    async with http_client(closed) as http:
        response = await http.get("/graphql", params=parameters)
        assert response.json() == {"data": {"__typename": "Query"}}
        assert response.headers["cache-control"] == "no-store"
        foreign = await http.get("/graphql", params=parameters, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, codes(foreign.json())) == (403, {"ORIGIN_NOT_ALLOWED"})


@pytest.mark.parametrize("send", ["form", "parts", "parameters", "text"])
async def test_what_a_form_can_send_is_415(
    production: ServerProcess, closed: ServerProcess, send: str
) -> None:
    query = {"query": DOCUMENTS["StartExecution"]}
    options: dict[str, Any] = {
        "form": {"data": query},
        "parts": {"files": {name: (None, value) for name, value in query.items()}},
        "parameters": {"params": query},
        "text": {"content": json.dumps(query), "headers": {"content-type": "text/plain"}},
    }[send]
    for server in (production, closed):
        async with http_client(server) as http:
            response = await http.post("/graphql", **options)
        assert (response.status_code, codes(response.json())) == (415, {"UNSUPPORTED_MEDIA_TYPE"})


async def test_the_method_trace_echoes_nothing(production: ServerProcess) -> None:
    async with http_client(production) as http:
        response = await http.request("TRACE", "/graphql", headers={"X-Secret": "hunter2"})
    assert response.status_code == 405
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    "path", ["/", "/graphql", "/graphiql", "/graphiql/assets/", "/playground", "/console", "/console/assets/"]
)
async def test_there_is_no_page(production: ServerProcess, path: str) -> None:
    async with http_client(production) as http:
        response = await http.get(path, headers={"Accept": "text/html"})
    assert response.status_code in {400, 404}
    assert "graphiql" not in response.text.lower()
    assert "text/html" not in response.headers["content-type"]
    assert not any("GraphiQL" in line or "Console" in line for line in production.output)


# ---- What production is for


async def test_trusted_documents_run_over_every_transport(production: ServerProcess) -> None:
    body = {"documentId": sha256_of(DOCUMENTS["TemplateList"]), "variables": {"first": 1}}
    async with http_client(production) as http:
        by_post = (await http.post("/graphql", json=body)).json()
        parameters = {**body, "variables": json.dumps(body["variables"])}
        by_get = (await http.get("/graphql", params=parameters)).json()
    async with open_socket(production) as socket:
        await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": body}))
        by_socket = json.loads(await socket.recv())["payload"]
    async with open_events(production, DOCUMENTS["TemplateList"], first=1) as events:
        (_, by_event), _ = [event async for event in events]
    assert by_post == by_get == by_socket == json.loads(by_event)
    assert len(by_post["data"]["workflowTemplates"]["nodes"]) == 1


def test_stepgraphs_own_clients_are_trusted(production: ServerProcess) -> None:
    started = named(production, "StartExecution", sample_variables("StartExecution"))
    execution = started["createWorkflowExecution"]["workflowExecution"]["id"]
    named(production, "CancelExecution", {"input": {"id": execution}})
    watched = invoke("watch", execution, "--json", "--url", production.url)
    assert watched.errors == ""
    assert "CANCELLED" in watched.output.splitlines()[-1]
    types = invoke("types", "verify", "--url", production.url, "--language", "python")
    assert (types.code, types.errors) == (0, "")


def named(server: ServerProcess, name: str, variables: dict[str, Any]) -> Any:
    """The data of an operation of `frontend_queries/`, which is not sent."""
    body = {"documentId": sha256_of(DOCUMENTS[name]), "variables": variables}
    answer = httpx.post(f"{server.url}/graphql", json=body, trust_env=False, verify=NO_TLS).json()
    assert "errors" not in answer, answer
    return answer["data"]
