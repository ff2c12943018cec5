"""`/healthz`: the process answers. `/readyz`: so do its database and its doorbell."""

import asyncio
import logging
from dataclasses import dataclass

import orjson
from sqlalchemy import literal, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from db.migrate import UnknownMigration, missing_migrations
from db.session import Database, Unavailable
from db.statements import Statement
from server.live.broadcast import Doorbell, DoorbellStatus
from server.settings import Settings

log = logging.getLogger(__name__)

_ONE = Statement(select(literal(1)))
_ANSWER_WITHIN = 2.0  # seconds


@dataclass(slots=True)
class Health:
    """What readiness depends on. `is_draining` is set once this process is to end."""

    settings: Settings
    database: Database
    doorbell: Doorbell
    is_draining: bool = False

    async def database_status(self) -> str:
        """`ok`, `behind` (migrations are missing), `ahead` (a newer program has migrated it) or `unavailable`."""
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await self.database.rows(_ONE, {})
                return "behind" if await missing_migrations(self.settings.database) else "ok"
        except UnknownMigration:
            return "ahead"
        except (Unavailable, TimeoutError):
            return "unavailable"
        except Exception as error:  # drivers have no common error for a database that answers but refuses
            log.warning("the database refuses: %s: %s", type(error).__name__, error)
            return "unavailable"

    async def ready(self, _request: Request) -> Response:
        """200 while operations can be served; a doorbell that is away only degrades (`live.md` B2)."""
        database = await self.database_status()
        doorbell = self.doorbell.health.status
        status = "not ready" if database != "ok" or self.is_draining else "ready"
        if status == "ready" and doorbell is DoorbellStatus.DEGRADED:
            status = "degraded"
        body = {"status": status, "database": database, "doorbell": doorbell}
        return _json(body, 503 if status == "not ready" else 200)


async def alive(_request: Request) -> Response:
    """200 while the process answers at all."""
    return _json({"status": "ok"}, 200)


def health_routes(health: Health) -> list[BaseRoute]:
    """The two addresses that orchestrators ask."""
    return [Route("/healthz", alive), Route("/readyz", health.ready)]


def _json(body: dict[str, str], status: int) -> Response:
    return Response(
        orjson.dumps(body), status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )
