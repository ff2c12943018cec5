"""One of several server processes, run by `workers.py` as `python -m server.worker LISTENER CONTROL`, two descriptors.

Over the control socket it gets its settings, and answers `READY` or, in one line, what keeps it from serving. When that
socket closes, its parent is gone, and it ends as if it were told to.
"""

import asyncio
import socket
import sys

import uvloop

from db.session import Unavailable
from server.app import create_app
from server.serving import serve
from server.settings import Settings
from server.telemetry.log import configure_log

READY = b"ready\n"


def main() -> None:
    """Serve until a signal or the parent's end; exit code 1 if that could not begin."""
    listener, control = (socket.socket(fileno=int(descriptor)) for descriptor in sys.argv[1:])
    sys.exit(uvloop.run(_work(listener, control)))


async def _work(listener: socket.socket, control: socket.socket) -> int:
    reader, writer = await asyncio.open_connection(sock=control)
    settings = Settings.model_validate_json(await reader.readline())
    configure_log(settings.log)
    try:
        await serve(create_app(settings), listener, on_started=lambda: writer.write(READY), until=reader.read)
    except (Unavailable, ValueError) as error:
        writer.write(" ".join(str(error).split()).encode() + b"\n")
        await writer.drain()
        return 1
    return 0


if __name__ == "__main__":
    main()
