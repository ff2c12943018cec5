"""Reads: the projection beside resolvers over the same rows, beside PostGraphile, and beside no GraphQL at all."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.benchmarks import postgraphile
from tests.benchmarks.processes import Worker, cpu_seconds
from tests.benchmarks.rounds import Sample, Target, measure, show
from tests.benchmarks.shapes import SHAPES, Shape
from tests.servers import ServerProcess

CONNECTIONS = 8
SECONDS = 1.0

PROJECTION = "projection (this server)"
RESOLVERS = "resolvers and DataLoaders"
CACHED = "the same, documents cached"
HANDWRITTEN = "hand-written route and SQL"
POSTGRAPHILE = "PostGraphile 5"
APPLICATIONS = {RESOLVERS: "resolvers", CACHED: "cached-resolvers", HANDWRITTEN: "handwritten"}
# SQLite's statements take so little that what GraphQL adds weighs more.
OVER_HANDWRITTEN_ON_SQLITE = 0.6

Request = dict[str, str]


def targets(shape: Shape, kind: str) -> tuple[Target, ...]:
    """What the projection is to reach on a kind of database."""
    by_hand = shape.over_handwritten if kind == "postgresql" else OVER_HANDWRITTEN_ON_SQLITE
    found = (
        Target(PROJECTION, RESOLVERS, shape.over_resolvers),
        Target(PROJECTION, CACHED),
        Target(PROJECTION, HANDWRITTEN, by_hand),
    )
    if kind == "postgresql":
        found += (Target(PROJECTION, POSTGRAPHILE, shape.over_postgraphile),)
    return found


def requests(shape: Shape, id_: str) -> dict[str, Request]:
    """What each candidate is asked."""
    query = _query(shape.document, id_)
    return {
        PROJECTION: query,
        RESOLVERS: query,
        CACHED: query,
        HANDWRITTEN: {"method": "GET", "path": shape.route.format(id=id_)},
        POSTGRAPHILE: _query(shape.foreign_document, id_),
    }


def _query(document: str, id_: str) -> Request:
    variables = {"id": id_} if "$id" in document else {}
    body = json.dumps({"query": document, "variables": variables})
    return {"method": "POST", "path": "/graphql", "body": body}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_the_projection_answers_as_others_do(database_url: str, shape: Shape, tmp_path: Path) -> None:
    asked = requests(shape, asyncio.run(shape.rows(database_url)).id)
    kind = make_url(database_url).get_backend_name()
    with servers(database_url, tmp_path) as (load, places):
        candidates: dict[str, Callable[[], Sample]] = {
            name: partial(sample, load, url, pid, asked[name]) for name, (url, pid) in places.items()
        }
        answers = {name: answer(load, url, asked[name]) for name, (url, _) in places.items()}
        rounds = measure(candidates)
    show(f"{shape.title}, {kind}, {CONNECTIONS} connections", rounds, targets(shape, kind))
    if POSTGRAPHILE in answers:
        answers[POSTGRAPHILE] = postgraphile.as_ours(answers[POSTGRAPHILE])
    assert answers[PROJECTION]["data"][shape.root]
    assert all(told == answers[PROJECTION] for told in answers.values())


@contextmanager
def servers(url: str, cwd: Path) -> Iterator[tuple[Worker, dict[str, tuple[str, int]]]]:
    """The load, and what serves where in which process."""
    with ExitStack() as stack:
        load = stack.enter_context(Worker("load"))
        ours = stack.enter_context(ServerProcess("--database", url, cwd=cwd))
        places = {PROJECTION: (ours.url, ours.process.pid)}
        others = {name: Worker("serving", application, url) for name, application in APPLICATIONS.items()}
        if url.startswith("postgresql"):
            others[POSTGRAPHILE] = postgraphile.server(url)
        for name, program in others.items():
            stack.enter_context(program)
            places[name] = (program.said, program.pid)
        yield load, places


def answer(load: Worker, url: str, request: Request) -> Any:
    """What a server says, after as many requests as warm its caches, its pool and the statements' plans."""
    queues = [[request] * 8] * CONNECTIONS
    return json.loads(load.ask({"url": url, "queues": queues, "seconds": None, "mark": "data"})["last"])


def sample(load: Worker, url: str, pid: int, request: Request) -> Sample:
    """One round."""
    before = cpu_seconds(pid)
    queues = [[request]] * CONNECTIONS
    told = load.ask({"url": url, "queues": queues, "seconds": SECONDS, "mark": '"revision":'})
    assert not told["refused"], told["refused"]
    return Sample(told["done"], told["seconds"], cpu_seconds(pid) - before)
