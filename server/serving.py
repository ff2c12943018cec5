"""From a listening socket to a server that runs until it is told to end: in this process, alone or as a worker."""

import asyncio
import gc
import socket
from collections.abc import Awaitable, Callable
from signal import SIGTERM

from db.session import Unavailable
from server.app import Application, uvicorn_config
from server.settings import Settings
from server.transports.uvicorn_server import UvicornServer
from server.trust.authenticating import require_loopback

STALLED_MILLISECONDS = 30_000
GC_THRESHOLDS = (
    20_000,
    20,
    20,
)  # new objects, and collections of the younger generation, until the next collection


def listen(settings: Settings) -> socket.socket:
    """Take the port, before anything else: a second server must not migrate or load anything.

    Raises `Unavailable`, and `ValueError` for an address that is open to more than may ask.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Connections inherit it: a reader that takes nothing for so long is gone (`live.md` H4).
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MILLISECONDS)
    try:
        listener.bind((settings.host, settings.port))
        require_loopback(settings, listener)
        listener.listen(2048)
    except ValueError:
        listener.close()
        raise
    except OSError as error:
        listener.close()
        raise Unavailable(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.") from error
    listener.setblocking(False)
    return listener


async def serve(
    app: Application,
    listener: socket.socket,
    *,
    on_started: Callable[[], None],
    until: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Serve until a signal says to end, or `until` is over. Raises `Unavailable` where a part cannot start."""
    async with app.running():
        _spare_the_collector()
        server = UvicornServer(
            uvicorn_config(app.asgi),
            on_started=on_started,
            on_told_to_end=app.retire,
            delay=app.parts.settings.shutdown_delay,
            drain=app.drain,
        )
        if until is None:
            await server.serve(sockets=[listener])
            return
        watching = asyncio.create_task(_end_after(until(), server))
        try:
            await server.serve(sockets=[listener])
        finally:
            watching.cancel()


def _spare_the_collector() -> None:
    """Going over all objects holds everybody up: not over what is there now and stays, and less often.

    A thousand sockets are objects enough for a third of the time to go there (measured); what it is for, cycles, is rare
    here and small.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _end_after(until: Awaitable[object], server: UvicornServer) -> None:
    await until
    server.handle_exit(SIGTERM, None)
