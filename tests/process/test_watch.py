"""`stepgraph watch`: a tree followed to its end in a terminal, by scripts and by people, through whatever happens."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGSTOP, SIGTERM, Signals
from typing import Any

import pytest

from server.watching.address import Address
from server.watching.documents import CHANGE, EXECUTION
from server.watching.events import Changed, Snapshot
from server.watching.follower import Follower, change_of
from server.watching.tree import Tree
from tests.process.quiet import quiet_server, said_since_start
from tests.process.watchers import Watcher, WatchingTerminal
from tests.process.workflows import Execution, complete, create, publish, send
from tests.servers import Ended, ServerProcess, environment, run_command

STATE = f"""
  query ($id: ID!, $asOf: Int, $after: String) {{
    workflowExecution(id: $id, asOf: $asOf) {{
      treeRevision
      ...WatchedExecution
      descendantWorkflowExecutions(first: 200, after: $after) {{ ...WatchedPage }}
    }}
  }}
  {EXECUTION}
"""
JOURNAL = f"""
  query ($id: ID!, $after: String) {{
    changes(rootWorkflowExecutionId: $id, first: 500, after: $after) {{
      nodes {{ ...WatchedChange }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
  {CHANGE}
"""
NOWHERE = "exec_00000000000000000000000000"


def story(key: str = "story") -> dict[str, Any]:
    """start → a form → a task → end."""
    steps = [("start", "start"), ("form", "human.form"), ("task", "sys.task"), ("end", "end")]
    return {
        "id": key,
        "name": "A story",
        "steps": [{"id": step_id, "type": kind, "name": step_id.capitalize()} for step_id, kind in steps],
        "stepTransitions": [
            {"id": f"t{index}", "fromStepId": source, "toStepId": target}
            for index, ((source, _), (target, _)) in enumerate(pairwise(steps))
        ],
    }


def state_of(server: ServerProcess, root_id: str, revision: int | None = None) -> tuple[int, list[Any]]:
    """The revision of a tree, and all of its executions, the root first."""
    found: list[Any] = []
    after = None
    while True:
        root = server.graphql(STATE, id=root_id, asOf=revision, after=after)["workflowExecution"]
        page = root.pop("descendantWorkflowExecutions")
        now = root.pop("treeRevision")
        found += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return now, [root, *reversed(found)]


def journal_of(server: ServerProcess, root_id: str) -> list[Any]:
    """Every change of a tree."""
    found: list[Any] = []
    after = None
    while True:
        page = server.graphql(JOURNAL, id=root_id, after=after)["changes"]
        found += [change_of(each) for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


def start(server: ServerProcess, execution: Execution) -> None:
    asyncio.run(send(server, "BeginExecution", "TransitionSuccess", input={"id": execution.id}))


def finish(server: ServerProcess, execution: Execution) -> None:
    """Complete both steps of a story."""
    for step_id in ("form", "task"):
        asyncio.run(complete(server, execution.steps[step_id], {}))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the demo templates as they are: that of the bad input may have been sent anything."""
    with quiet_server(tmp_path_factory.mktemp("watched")) as running:
        yield running


@pytest.fixture
def served(served_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with the story, on each database in turn."""
    with ServerProcess("--database", served_database_url, cwd=tmp_path) as running:
        asyncio.run(publish(running, story(), "story"))
        yield running


def begun(server: ServerProcess, *, is_started: bool = True) -> Execution:
    return asyncio.run(create(server, "story", start=is_started))


# ---- `--json`


def test_a_whole_life_is_one_json_line_for_the_state_one_for_each_change_and_one_for_the_end(
    served: ServerProcess, tmp_path: Path
) -> None:
    execution = begun(served, is_started=False)
    with Watcher(execution.id, "--url", served.url, "--json", cwd=tmp_path) as watcher:
        first = watcher.next_event()
        start(served, execution)
        # A line is there as soon as its change is, and not when a buffer is full.
        assert watcher.next_event()["kind"] == "EXECUTION_STARTED"
        finish(served, execution)
        assert watcher.wait() == 0
        lines = watcher.output.rest()
        assert watcher.errors.rest() == []
    assert re.fullmatch("[0-9a-f]+", first.pop("epoch"))
    _, at_first = state_of(served, execution.id, 1)
    assert first == {"event": "snapshot", "revision": 1, "reason": "START", "executions": at_first}
    changes = [{"event": "change", **change} for change in journal_of(served, execution.id)]
    last = changes[-1]["revision"]
    ended = {"event": "ended", "revision": last, "status": "COMPLETED"}
    assert [json.loads(line) for line in lines] == [*changes[2:], ended]
    assert list(changes[-1]) == [
        "event", "revision", "kind", "at", "actor", "fromStatus", "toStatus", "attempt", "reason",
        "workflowExecutionId", "stepExecutionId", "data",
    ]  # fmt: skip
    assert [change["kind"] for change in changes] == [
        "EXECUTION_CREATED", "EXECUTION_STARTED", "STEP_STARTED", "STEP_COMPLETED", "STEP_STARTED", "STEP_COMPLETED",
        "STEP_STARTED", "STEP_COMPLETED", "STEP_ARRIVED", "STEP_STARTED", "STEP_COMPLETED", "EXECUTION_COMPLETED",
    ]  # fmt: skip
    assert said_since_start(served.output) == []


def test_no_line_is_lost_or_doubled_through_a_kill_and_a_restart(
    served: ServerProcess, tmp_path: Path
) -> None:
    """Changes before the kill, while it does not look, and after it has connected again."""
    execution = begun(served, is_started=False)
    with Watcher(execution.id, "--url", served.url + "/graphql", "--json", cwd=tmp_path) as watcher:
        first = watcher.next_event()
        start(served, execution)
        before = [watcher.next_event() for _ in range(4)]
        served.stop(SIGKILL)
        told = watcher.errors.next()
        watcher.tell(SIGSTOP)
        served.start()
        asyncio.run(complete(served, execution.steps["form"], {}))
        watcher.tell(SIGCONT)
        away = [watcher.next_event() for _ in range(2)]
        served.stop(SIGKILL)
        assert watcher.errors.next() == told
        served.start()
        asyncio.run(complete(served, execution.steps["task"], {}))
        assert watcher.wait() == 0
        *after, ended = map(json.loads, watcher.output.rest())
        assert watcher.errors.rest() == []
    assert told == f"The connection to {served.url} is lost (cut off); connecting again."
    changes = journal_of(served, execution.id)
    assert [first["revision"], *(each["revision"] for each in (*before, *away, *after))] == [
        change["revision"] for change in changes
    ]
    assert [{"event": "change", **change} for change in changes[1:]] == [*before, *away, *after]
    assert ended == {"event": "ended", "revision": len(changes), "status": "COMPLETED"}


def test_a_server_that_is_told_to_end_is_found_again(served: ServerProcess, tmp_path: Path) -> None:
    execution = begun(served)
    with Watcher(execution.id, "--url", served.url, "--json", cwd=tmp_path) as watcher:
        first = watcher.next_event()
        served.stop()
        assert watcher.errors.next().endswith(" is lost (closed with 1012); connecting again.")
        served.start()
        finish(served, execution)
        assert watcher.wait() == 0
        *changes, _ = map(json.loads, watcher.output.rest())
        assert watcher.errors.rest() == []
    assert [each["revision"] for each in changes] == list(
        range(first["revision"] + 1, len(journal_of(served, execution.id)) + 1)
    )


@pytest.fixture
def demo_server(served_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as running:
        yield running


def incorporate(server: ServerProcess, directors: int) -> Execution:
    """An incorporation: once its intake is completed, each director has a child."""
    context = {
        "company": {"name": "Acme", "type": "llp"},
        "directors": [{"id": str(index), "name": f"Director {index}"} for index in range(directors)],
    }
    given = {"workflowTemplateKey": "incorporation", "context": context}
    result = asyncio.run(send(server, "StartExecution", "TransitionSuccess", input=given))
    made = result["workflowExecution"]
    return Execution(made["id"], {step["stepId"]: step["id"] for step in made["steps"]})


def test_a_tree_of_600_children_is_read_whole_and_followed_to_its_end(
    demo_server: ServerProcess, tmp_path: Path
) -> None:
    """`live.md` H8: what one snapshot leaves out is paged; folding all lines gives what the query shows."""
    execution = incorporate(demo_server, 600)
    with Watcher(execution.id, "--url", demo_server.url, "--json", cwd=tmp_path) as from_the_start:
        small = from_the_start.next_event()
        asyncio.run(complete(demo_server, execution.steps["intake"], {"complete": True}))
        with Watcher(execution.id, "--url", demo_server.url, "--json", cwd=tmp_path) as later:
            large = later.next_event()
            revision, executions = state_of(demo_server, execution.id)
            assert (large["revision"], len(large["executions"])) == (revision, 601)
            assert large["executions"] == executions
            given = {"id": execution.id, "reason": "No more"}
            asyncio.run(send(demo_server, "CancelExecution", "TransitionSuccess", input=given))
            for watcher, first in ((from_the_start, small), (later, large)):
                assert watcher.wait() == 4
                assert watcher.errors.rest() == []
                assert_holds(first, watcher.output.rest(), *state_of(demo_server, execution.id))


def assert_holds(first: dict[str, Any], lines: list[str], revision: int, executions: list[Any]) -> None:
    """The lines, folded, are this state."""
    tree, shown = Tree(), Tree()
    first.pop("event")
    tree.replace(Snapshot(**first))
    *changes, ended = map(json.loads, lines)
    tree.fold(Changed(changes[-1]["revision"], changes))
    assert ended == {"event": "ended", "revision": revision, "status": tree.root["runtimeStatus"]}
    shown.replace(Snapshot(revision, "", "", executions))
    assert (tree.revision, tree.executions) == (shown.revision, shown.executions)


@pytest.mark.parametrize("page", [1, 500])
async def test_pages_may_be_of_any_size_and_one_that_asks_for_too_much_is_made_smaller(
    server: ServerProcess, page: int
) -> None:
    """500 executions with their steps are more than one operation may ask for."""
    root = await asyncio.to_thread(incorporate, server, 4)
    await complete(server, root.steps["intake"], {"complete": True})
    async with (
        asyncio.timeout(60),
        aclosing(Follower(Address.of(server.url), root.id, page=page).events()) as events,
    ):
        snapshot = await anext(events)
    assert isinstance(snapshot, Snapshot)
    revision, executions = await asyncio.to_thread(state_of, server, root.id)
    assert (snapshot.revision, snapshot.executions) == (revision, executions)


def test_a_reader_that_has_enough_ends_it_without_a_traceback(server: ServerProcess, tmp_path: Path) -> None:
    """As `| head -1` does."""
    execution = asyncio.run(create(server))
    command = [sys.executable, "-m", "server", "watch", execution.id, "--url", server.url, "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watcher:
        assert watcher.stdout
        assert watcher.stderr
        watcher.stdout.readline()
        watcher.stdout.close()
        asyncio.run(complete(server, execution.steps["verify"], {"verified": True}))
        assert (watcher.wait(60), watcher.stderr.read()) == (1, b"")


# ---- The exit code


def test_the_exit_code_says_how_it_ended(served: ServerProcess, tmp_path: Path) -> None:
    done, failed, cancelled = (begun(served) for _ in range(3))
    with (
        Watcher(done.id, "--url", served.url, cwd=tmp_path) as one,
        Watcher(failed.id, "--url", served.url, cwd=tmp_path) as two,
        Watcher(cancelled.id, cwd=tmp_path, variables={"STEPGRAPH_URL": served.url}) as three,
    ):
        for watcher in (one, two, three):
            watcher.output.next()
        finish(served, done)
        asyncio.run(
            send(
                served,
                "FailStep",
                "TransitionSuccess",
                input={"id": failed.steps["form"], "message": "It rained."},
            )
        )
        asyncio.run(send(served, "CancelExecution", "TransitionSuccess", input={"id": cancelled.id}))
        assert [watcher.wait() for watcher in (one, two, three)] == [0, 3, 4]
    # Whoever comes late is told likewise.
    for execution, code in ((done, 0), (failed, 3), (cancelled, 4)):
        ended = run_command("watch", execution.id, "--url", served.url, cwd=tmp_path)
        assert (ended.code, ended.errors) == (code, "")


@pytest.mark.parametrize(("signal", "code"), [(SIGINT, 130), (SIGTERM, 143)])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_signal_ends_it_without_a_word(
    server: ServerProcess, signal: Signals, code: int, options: list[str], tmp_path: Path
) -> None:
    execution = asyncio.run(create(server))
    with Watcher(execution.id, "--url", server.url, *options, cwd=tmp_path) as watcher:
        watcher.output.next()
        watcher.tell(signal)
        assert watcher.wait() == code
        assert (watcher.output.rest(), watcher.errors.rest()) == ([], [])


def test_it_can_be_stopped_while_it_tries_to_connect_again(tmp_path: Path) -> None:
    with ServerProcess("--demo", cwd=tmp_path) as server:
        execution = asyncio.run(create(server))
        with Watcher(execution.id, "--url", server.url, cwd=tmp_path) as watcher:
            watcher.output.next()
            server.stop(SIGKILL)
            watcher.errors.next()
            watcher.tell(SIGINT)
            assert watcher.wait() == 130
            assert watcher.errors.rest() == []


def assert_said(ended: Ended, code: int, sentence: str) -> None:
    """One line on the error stream and nothing else."""
    assert (ended.code, ended.output, ended.errors) == (code, "", sentence + "\n")


@pytest.mark.parametrize("execution_id", [NOWHERE, "nonsense"])
def test_an_id_of_nothing_is_told(server: ServerProcess, execution_id: str, tmp_path: Path) -> None:
    ended = run_command("watch", execution_id, "--url", server.url, cwd=tmp_path)
    assert_said(ended, 5, f"There is no execution with the id '{execution_id}'.")


def test_an_id_of_a_child_is_answered_with_the_command_for_its_tree(
    demo_server: ServerProcess, tmp_path: Path
) -> None:
    root = incorporate(demo_server, 1)
    asyncio.run(complete(demo_server, root.steps["intake"], {"complete": True}))
    _, (_, child) = state_of(demo_server, root.id)
    ended = run_command("watch", child["id"], "--url", demo_server.url, cwd=tmp_path)
    command = f"stepgraph watch {root.id}"
    assert_said(ended, 1, f"{child['id']} is a child in the tree of {root.id}; run: {command}")


def test_where_nobody_listens_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = run_command("watch", NOWHERE, "--url", f"http://me:secret@127.0.0.1:{port}", cwd=tmp_path)
    assert_said(ended, 6, f"Cannot connect to http://127.0.0.1:{port}: Connection refused.")


def test_an_address_that_is_not_the_apis_is_told(server: ServerProcess, tmp_path: Path) -> None:
    ended = run_command("watch", NOWHERE, "--url", f"{server.url}/elsewhere", cwd=tmp_path)
    why = "it answers with HTTP status 403, and not as Stepgraph does"
    assert_said(ended, 6, f"Cannot connect to {server.url}/elsewhere: {why}.")


def test_a_url_that_is_none_is_refused(tmp_path: Path) -> None:
    ended = run_command("watch", NOWHERE, "--url", "localhost:8000", cwd=tmp_path)
    why = "A URL begins with http:// or https:// and a host, got 'localhost:8000'"
    assert_said(ended, 1, f"--url (STEPGRAPH_URL): {why}.")


# ---- For people


def test_without_a_terminal_every_change_is_a_line(served: ServerProcess, tmp_path: Path) -> None:
    execution = begun(served)
    with Watcher(execution.id, "--url", served.url, cwd=tmp_path) as watcher:
        first = watcher.output.next()
        finish(served, execution)
        assert watcher.wait() == 0
        *changes, ended = watcher.output.rest()
        assert watcher.errors.rest() == []
    name = f"story ({execution.id})"
    assert re.sub(r"\d+s,", "0s,", first) == f"{name}: in progress, 0s, 1 of 4 steps, revision 5"
    assert [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", line) for line in changes] == [
        "6 story: Form completed",
        "7 story: Task started",
        "8 story: Task completed",
        "9 story: End arrived",
        "10 story: End started",
        "11 story: End completed",
        "12 story: completed",
    ]
    assert re.sub(r"\d+s,", "0s,", ended) == f"{name}: completed, 0s, 4 of 4 steps, revision 12"


def in_terminal(server: ServerProcess, execution: Execution, cwd: Path, **variables: str) -> WatchingTerminal:
    return WatchingTerminal(execution.id, "--url", server.url, cwd=cwd, variables=variables)


def without_times(lines: list[str]) -> list[str]:
    return [re.sub(r"\b\d+s\b", "0s", line) for line in lines]


def test_in_a_terminal_the_tree_is_drawn_in_place(served: ServerProcess, tmp_path: Path) -> None:
    execution = begun(served)
    with in_terminal(served, execution, tmp_path) as terminal:
        first = terminal.read_until(r"▸ Form  in progress \d+s")
        terminal.read_until(rf"▸ Form  in progress (?!{first.split()[-1]})\d+s")
        finish(served, execution)
        assert terminal.end() == 0
    assert without_times(terminal.picture())[:3] == [
        f"story  {execution.id}",
        "completed 0s  ━━━━━━━━━━ 4 of 4 steps  revision 12",
        "",
    ]
    assert [line[:6].rstrip() for line in terminal.picture()[3:]] == ["✓ Star", "✓ Form", "✓ Task", "✓ End"]
    assert "\x1b[32m" in terminal.recorded


def test_a_terminal_says_in_its_header_that_it_connects_again(served: ServerProcess, tmp_path: Path) -> None:
    execution = begun(served)
    with in_terminal(served, execution, tmp_path) as terminal:
        terminal.read_until("▸ Form")
        served.stop(SIGKILL)
        terminal.read_until(re.escape(f"The connection to {served.url} is lost"))
        served.start()
        finish(served, execution)
        assert terminal.end() == 0
    assert not [line for line in terminal.picture() if "lost" in line]
    assert len(terminal.picture()) == 7


def test_a_terminal_without_colours_has_none_and_gets_its_cursor_back(
    server: ServerProcess, tmp_path: Path
) -> None:
    execution = asyncio.run(create(server))
    for signal, code in ((SIGINT, 130), (SIGTERM, 143)):
        with in_terminal(server, execution, tmp_path, NO_COLOR="1") as terminal:
            terminal.read_until("▸ Verify")
            terminal.tell(signal)
            assert terminal.end() == code
        assert not re.search(r"\x1b\[(?:\d+;)*(?:3|9)\d(?:;\d+)*m", terminal.recorded)
        assert terminal.recorded.rindex("\x1b[?25h") > terminal.recorded.rindex("\x1b[?25l")


def test_a_terminal_that_cannot_draw_gets_lines(server: ServerProcess, tmp_path: Path) -> None:
    execution = asyncio.run(create(server))
    with in_terminal(server, execution, tmp_path, TERM="dumb") as terminal:
        terminal.read_until("revision 5")
        terminal.tell(SIGINT)
        assert terminal.end() == 130
    assert "\x1b" not in terminal.recorded
