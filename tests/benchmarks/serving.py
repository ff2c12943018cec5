"""Serves what this server is compared with, by the same uvicorn settings.

python -m tests.benchmarks.serving resolvers|cached-resolvers|handwritten|own-handler DATABASE_URL
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import uvicorn
import uvloop

from server.app import uvicorn_config
from tests.benchmarks import handwritten, own_handler, resolvers
from tests.benchmarks.processes import tell

APPLICATIONS: dict[str, Callable[[str], AbstractAsyncContextManager[Any]]] = {
    "resolvers": resolvers.application,
    "cached-resolvers": partial(resolvers.application, cached=True),
    "handwritten": handwritten.application,
    "own-handler": own_handler.application,
}


async def serve(name: str, url: str) -> None:
    """Serve one of the applications on a free port until the process is told to end."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    async with APPLICATIONS[name](url) as app:
        tell(f"http://127.0.0.1:{listening.getsockname()[1]}")
        await uvicorn.Server(uvicorn_config(app)).serve(sockets=[listening])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(*sys.argv[1:]))
