"""How long hostile documents take to be refused, and everyday ones to be read (`security.md` A4)."""

import contextlib
import statistics
import time
from collections.abc import Callable

import pytest
from graphql import parse

from schema.schema import build_schema
from server.operations.document_cache import DocumentCache
from server.operations.limits import Sizes, measure_operations
from server.operations.operations import OperationRefused, Operations
from server.operations.requests import GraphQLRequest
from tests.frontend_documents import document

SCHEMA = build_schema()
OPERATIONS = Operations(SCHEMA, cache=DocumentCache(max_characters=0))
ROUNDS = 20


def chain(count: int, body: str) -> str:
    """Fragments that each spread the next one."""
    links = [
        f"fragment F{i} on WorkflowExecution{{{body.replace('NEXT', f'...F{i + 1}')}}}" for i in range(count)
    ]
    return " ".join(
        ['{workflowExecution(id:"x"){...F0}}', *links, f"fragment F{count} on WorkflowExecution{{id}}"]
    )


DOCUMENTS = {
    "700 bytes of fragments, doubling objects": chain(7, "parentWorkflowExecution{NEXT NEXT}steps{attempt}NEXT"),
    "700 bytes of fragments, tripling aliases": chain(11, "a:id NEXT NEXT NEXT"),
    "200 fragments in a row": chain(200, "NEXT"),
    "400 times the same object": '{workflowExecution(id:"x"){' + "failure{code}" * 400 + "}}",
    "ExecutionDetail, an everyday document": document("ExecutionDetail"),
}  # fmt: skip


def median_ms(work: Callable[[], object]) -> float:
    """The median time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        times.append((time.perf_counter() - begun) * 1_000)
    return statistics.median(times)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_time_of_a_document(name: str) -> None:
    text = DOCUMENTS[name]
    parsed, sizes = parse(text), Sizes(SCHEMA._schema)
    measuring = median_ms(lambda: measure_operations(SCHEMA._schema, sizes, parsed))
    whole = median_ms(lambda: read(text))
    print(
        f"{name:42} {len(text):6,} bytes: measured in {measuring:6.1f} ms, read or refused in {whole:7.1f} ms"
    )


def read(text: str) -> None:
    """All that is done before execution, nothing of it known from before."""
    with contextlib.suppress(OperationRefused):
        OPERATIONS.prepare(GraphQLRequest(text))
