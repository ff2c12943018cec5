"""`/healthz` and `/readyz` of a process whose database goes away (`security.md` O1)."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.databases import POSTGRESQL, execute
from tests.process.clients import http_client
from tests.servers import ServerProcess


async def readiness(server: ServerProcess) -> tuple[int, str, str]:
    """The status code, and what is said of the process and of its database."""
    async with http_client(server) as client:
        response = await client.get("/readyz")
        assert (await client.get("/healthz")).json() == {"status": "ok"}
    body = response.json()
    return response.status_code, body["status"], body["database"]


@pytest.mark.postgresql
def test_a_process_is_not_ready_while_its_database_has_another_schema_or_lets_nobody_in(
    migrated_postgresql_url: str, tmp_path: Path
) -> None:
    """And ready again by itself."""
    url, name = migrated_postgresql_url, make_url(migrated_postgresql_url).database
    with ServerProcess("--database", url, cwd=tmp_path) as server:
        assert asyncio.run(readiness(server)) == (200, "ready", "ok")
        execute(url, "alter table alembic_version rename to elsewhere")
        assert asyncio.run(readiness(server)) == (503, "not ready", "behind")
        execute(url, "alter table elsewhere rename to alembic_version")
        execute(url, "update alembic_version set version_num = version_num || ' and more'")
        assert asyncio.run(readiness(server)) == (503, "not ready", "ahead")
        assert server.graphql("{ workflowTemplates { totalCount } }") == {
            "workflowTemplates": {"totalCount": 0}
        }
        execute(url, "update alembic_version set version_num = replace(version_num, ' and more', '')")
        execute(POSTGRESQL, f"alter database {name} allow_connections false")
        execute(
            POSTGRESQL,
            f"select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{name}'",
        )
        assert asyncio.run(readiness(server)) == (503, "not ready", "unavailable")
        execute(POSTGRESQL, f"alter database {name} allow_connections true")
        assert asyncio.run(readiness(server)) == (200, "ready", "ok")
        assert server.graphql("{ workflowTemplates { totalCount } }")["workflowTemplates"] == {
            "totalCount": 0
        }
        assert server.stop() == 0
