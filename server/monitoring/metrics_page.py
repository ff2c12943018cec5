"""`/metrics`, on the listener of everything else: a reverse proxy keeps it inside (`docs/operations.md`)."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from server.monitoring.sampling import Sampler
from server.telemetry.metrics import CONTENT_TYPE, exposition


def metrics_routes(sampler: Sampler) -> list[BaseRoute]:
    """The address that Prometheus asks."""

    async def metrics(_request: Request[Any]) -> Response:
        sampler.sample()
        # Files of several processes are read in it.
        text = await asyncio.to_thread(exposition)
        return Response(text, headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    return [Route("/metrics", metrics)]
