"""A worker process by itself: what it holds, and when it ends (`runtime.md` X3)."""

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import db
from db.evaluation.worker_process import WorkerLost, WorkerProcess

pytestmark = pytest.mark.timeout(120)

PARENT = """
import sys, threading
from datetime import UTC, datetime
from db.evaluation.driver import Evaluations
from db.runtime.expressions import EvaluationRequest, ExpressionInput
from tests.contract.evaluation.endless import ENDLESS, boundless

evaluations = boundless()
request = EvaluationRequest("(function(){1})()", ExpressionInput(), datetime.now(UTC))
evaluations.evaluate_many_blocking([request])
if sys.argv[1] == "busy":
    endless = EvaluationRequest(ENDLESS, ExpressionInput(), datetime.now(UTC))
    threading.Thread(target=evaluations.evaluate_many_blocking, args=([endless],)).start()
print(*evaluations.pool.pids, flush=True)
sys.stdin.read()
"""


def has_ended(pid: int, seconds: float = 60) -> bool:
    """Waits for the end of a process that is not a child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("doing", ["idle", "busy"])
def test_x3_a_worker_ends_with_its_parent_even_if_that_is_killed(doing: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, doing],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(db.__file__).parent.parent)},
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 1
        parent.kill()
        parent.wait()
        assert all(has_ended(pid) for pid in pids)


def test_x3_a_worker_holds_no_file_and_no_socket_of_its_parent() -> None:
    with socket.socket() as listening, Path(__file__).open() as file:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        os.set_inheritable(listening.fileno(), True)
        os.set_inheritable(file.fileno(), True)
        worker = WorkerProcess()
        try:
            worker.wait_until_ready()
            held = sorted(str(each.readlink()) for each in Path(f"/proc/{worker.pid}/fd").iterdir())
        finally:
            worker.close()
    assert [name for name in held if not name.startswith("pipe:")] == ["/dev/null"] * 3
    assert len(held) == 5


def test_x3_a_worker_has_nothing_of_its_parents_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPGRAPH_SECRET", "hunter2")
    worker = WorkerProcess()
    try:
        worker.wait_until_ready()
        environment = Path(f"/proc/{worker.pid}/environ").read_bytes()
    finally:
        worker.close()
    assert b"SECRET" not in environment


def test_a_worker_that_is_told_what_it_does_not_understand_ends() -> None:
    worker = WorkerProcess()
    worker.wait_until_ready()
    with pytest.raises(WorkerLost) as lost:
        list(worker.ask(b"no batch"))
    assert not lost.value.is_overrun
    worker.close()


def test_a_worker_ends_in_silence_when_its_input_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "db.evaluation.worker"],
        input=b"",
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(Path(db.__file__).parent.parent)},
    )
    assert (done.stdout, done.stderr) == (b"\0\0\0\0", b"")
