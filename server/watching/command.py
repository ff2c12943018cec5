"""What `stepgraph watch` does, and the exit code that says how it went."""

import asyncio
import signal
import sys
from contextlib import aclosing
from enum import IntEnum
from typing import Final

import uvloop

from server.watching.address import Address, BadAddress
from server.watching.connection import CannotConnect, Refused
from server.watching.events import Changed, Ended, Event, Snapshot
from server.watching.follower import Follower, NotARoot
from server.watching.screens import screen_for
from server.watching.token import NoToken, TokenRefused, TokenSource
from server.watching.tree import Tree


class ExitCode(IntEnum):
    """2 is the command line's, for a usage that is none."""

    COMPLETED = 0
    REFUSED = 1
    FAILED = 3
    CANCELLED = 4
    NO_SUCH_EXECUTION = 5
    CANNOT_CONNECT = 6
    NOT_ADMITTED = 7
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


# By the code of an error; any other is REFUSED.
_REFUSALS: Final = {"NOT_FOUND": ExitCode.NO_SUCH_EXECUTION, "FORBIDDEN": ExitCode.NOT_ADMITTED}


class Stopped(Exception):
    """Nothing more is seen; one sentence for people, and the exit code."""

    def __init__(self, code: ExitCode, message: str) -> None:
        self.code = code
        super().__init__(message)


def watch(url: str, execution_id: str, token: TokenSource, *, as_json: bool) -> int:
    """Watch a tree to its end; returns the exit code, with the reason on the error stream."""
    try:
        return uvloop.run(_watch(url, execution_id, token, as_json=as_json))
    except Stopped as stopped:
        sys.stderr.write(" ".join(str(stopped).split()) + "\n")
        return stopped.code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except asyncio.CancelledError:
        return ExitCode.TERMINATED


async def _watch(url: str, execution_id: str, token: TokenSource, *, as_json: bool) -> ExitCode:
    # Cancelled rather than killed, so that a terminal gets its cursor back.
    watching = asyncio.current_task()
    assert watching is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, watching.cancel)
    try:
        address = Address.of(url)
        async with screen_for(address.shown, as_json=as_json) as screen:
            tree = Tree()
            async with aclosing(Follower(address, execution_id, token=token).events()) as events:
                async for event in events:
                    _take(event, tree)
                    screen.show(event, tree)
                    if isinstance(event, Ended):
                        return ExitCode[event.status]
    except BadAddress as bad:
        raise Stopped(ExitCode.REFUSED, f"--url (STEPGRAPH_URL): {bad}.") from bad
    except CannotConnect as error:
        raise Stopped(ExitCode.CANNOT_CONNECT, f"Cannot connect to {address.shown}: {error}.") from error
    except NoToken as unreadable:
        raise Stopped(ExitCode.REFUSED, str(unreadable)) from unreadable
    except TokenRefused as refused:
        raise Stopped(ExitCode.NOT_ADMITTED, str(refused)) from refused
    except NotARoot as child:
        raise Stopped(ExitCode.REFUSED, _run_instead(execution_id, child.root_id)) from child
    except Refused as refused:
        raise Stopped(_REFUSALS.get(refused.code, ExitCode.REFUSED), str(refused)) from refused
    raise AssertionError("events only end by an exception")


def _take(event: Event, tree: Tree) -> None:
    match event:
        case Snapshot():
            tree.replace(event)
        case Changed():
            tree.fold(event)


def _run_instead(execution_id: str, root_id: str) -> str:
    return f"{execution_id} is a child in the tree of {root_id}; run: stepgraph watch {root_id}"
