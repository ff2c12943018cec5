"""The audits of graphql-http, the reference implementation of GraphQL over HTTP (`security.md` A6: 61 of 61)."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.node import installed, node
from tests.protocol.serving import Toy

AUDIT = Path(__file__).parent / "graphql-http"


@pytest.fixture(scope="session")
def audit_packages() -> Path:
    """The directory of the audit with its packages installed."""
    return installed(AUDIT)


@pytest.mark.node
async def test_all_61_audits_pass(toy: Toy, audit_packages: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        node(), "audit.js", toy.url, cwd=audit_packages, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    report: list[dict[str, Any]] = orjson.loads(output)
    assert [audit for audit in report if audit["status"] != "ok"] == []
    assert len(report) == 61
