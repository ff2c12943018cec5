"""How long others wait while somebody sends hostile input (`security.md` A4): with and without, in turn."""

import time
from pathlib import Path
from statistics import median, quantiles

import httpx
import pytest

from tests.benchmarks.hostile_senders import AT_ONCE, KINDS
from tests.benchmarks.processes import Worker
from tests.databases import sqlite_url
from tests.servers import NO_TLS, ServerProcess

ROUNDS = 3
REQUESTS = 100
QUERY = {"query": '{ workflowTemplate(key: "verify") { id key activeVersion { id version } } }'}
MARK = '"key":"verify"'


def milliseconds(server: ServerProcess) -> list[float]:
    """How long each of some everyday queries took, one after the other."""
    taken = []
    with httpx.Client(base_url=server.url, trust_env=False, verify=NO_TLS, timeout=60) as client:
        for _ in range(REQUESTS):
            begun = time.perf_counter()
            answer = client.post("/graphql", json=QUERY)
            taken.append((time.perf_counter() - begun) * 1_000)
            assert MARK in answer.text
    return taken


def p99(taken: list[float]) -> float:
    return quantiles(taken, n=100)[98]


@pytest.mark.parametrize("kind", KINDS)
def test_latency_of_others(tmp_path: Path, kind: str) -> None:
    alone: list[list[float]] = []
    beside: list[list[float]] = []
    with ServerProcess("--demo", "--database", sqlite_url(tmp_path / "x.db"), cwd=tmp_path) as server:
        milliseconds(server)
        for _ in range(ROUNDS):
            alone.append(milliseconds(server))
            with Worker("hostile_senders", server.url, kind):
                beside.append(milliseconds(server))
        assert server.graphql("{ __typename }") == {"__typename": "Query"}
    print(f"\n{kind}, {AT_ONCE} senders – an everyday query, {ROUNDS} rounds of {REQUESTS} in turn")
    for name, of in (("median", median), ("p99", p99)):
        without, during = median(map(of, alone)), median(map(of, beside))
        ratios = " ".join(f"{of(b) / of(a):.1f}" for a, b in zip(alone, beside, strict=True))
        print(
            f"  {name:8}{without:8.1f} ms alone{during:8.1f} ms beside  → {during / without:.1f} × (rounds {ratios})"
        )
