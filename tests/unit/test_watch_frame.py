"""How `stepgraph watch` draws a tree."""

import io

import pytest
from rich.console import Console

from server.watching.frame import Frame
from server.watching.tree import Tree
from tests.unit.watched import NOW, ago, execution, step, tree


def drawn(
    watched: Tree, width: int = 80, height: int = 40, notice: str | None = None, encoding: str = "utf-8"
) -> str:
    """The picture as text, without spaces at the ends of lines."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
    console = Console(file=file, width=width, height=height, color_system=None, legacy_windows=False)
    console.print(Frame(watched, NOW, notice))
    file.flush()
    return "\n".join(line.rstrip() for line in raw.getvalue().decode(encoding).splitlines())


def incorporation() -> Tree:
    """Every status, a child of each kind, and a child of a child."""
    root = execution(
        "exec_root",
        "Incorporate Acme",
        "IN_PROGRESS",
        step("intake", "COMPLETED", name="Intake form"),
        step("dsc", "IN_PROGRESS", name="Certificates"),
        step(
            "name",
            "FAILED",
            attempt=2,
            retryAt=ago(-30),
            failure={"code": "TAKEN", "message": "It is taken."},
        ),
        step("llp", "DISABLED", name="LLP agreement"),
        step("file", "IN_PROGRESS", name="File it", dueAt=ago(7200)),
        step("pay", "IN_PROGRESS", dueAt=ago(-90_000), claim={"worker": "Ada\nLovelace"}),
        step("end"),
    )
    ann = execution(
        "exec_ann", "DSC for Ann", "COMPLETED", step("verify", "COMPLETED"), below=("exec_root", "dsc", 0)
    )
    ben = execution(
        "exec_ben",
        "DSC for Ben",
        "IN_PROGRESS",
        step("verify", "COMPLETED"),
        step("issue", "IN_PROGRESS"),
        below=("exec_root", "dsc", 1),
    )
    issue = execution("exec_issue", "Issue", "NOT_STARTED", step("print"), below=("exec_ben", "issue", 0))
    lost = execution(
        "exec_lost",
        "DSC for Cho",
        "FAILED",
        step("verify", "FAILED"),
        below=("exec_root", "dsc", 2),
        failure={"code": "STEP_FAILED", "message": "One or more steps failed."},
    )
    gone = execution("exec_gone", "DSC for Dee", "CANCELLED", step("verify"), below=("exec_root", "dsc", 3))
    return tree(root, gone, issue, lost, ben, ann)


GOLDEN = """\
Incorporate Acme  exec_root
in progress 1h 01m  ━───────── 1 of 7 steps  revision 26

✓ Intake form  1m 15s
▸ Certificates  in progress 1m 35s
├── ✓ DSC for Ann  ━━━━━━━━━━ 1/1  1h 00m
│   └── ✓ Verify  1m 15s
├── ▸ DSC for Ben  ━━━━━───── 1/2  in progress 1h 01m
│   ├── ✓ Verify  1m 15s
│   └── ▸ Issue  in progress 1m 35s
│       └── · Issue  ────────── 0/1
│           └── · Print
├── ✗ DSC for Cho  ────────── 0/1  failed: STEP_FAILED: One or more steps faile…
│   └── ✗ Verify  failed
└── ⊘ DSC for Dee  ────────── 0/1  cancelled
    └── · Verify
✗ Name  failed, attempt 2, next attempt in 30s: TAKEN: It is taken.
– LLP agreement  disabled
▸ File it  in progress 1m 35s, overdue by 2h 00m
▸ Pay  in progress 1m 35s, due in 1d 01h, with Ada Lovelace
· End"""

ASCII = """\
Incorporate Acme  exec_root
in progress 1h 01m  #......... 1 of 7 steps  revision 26

+ Intake form  1m 15s
> Certificates  in progress 1m 35s
+-- + DSC for Ann  ########## 1/1  1h 00m"""

NARROW = """\
Incorporate Acme  exec_root
in progress 1h 01m  1 of 7 steps  revis…

✓ Intake form  1m 15s
▸ Certificates  in progress 1m 35s
├── ✓ DSC for Ann  1/1  1h 00m
│   └── ✓ Verify  1m 15s
├── ▸ DSC for Ben  1/2  in progress 1h …"""


def test_a_tree_at_80_columns() -> None:
    assert drawn(incorporation()) == GOLDEN


def test_a_terminal_without_these_letters_gets_others() -> None:
    assert drawn(incorporation(), encoding="ascii").startswith(ASCII)


def test_a_narrow_terminal_has_no_bars_and_names_give_way_first() -> None:
    assert drawn(incorporation(), width=40).startswith(NARROW)


@pytest.mark.parametrize("width", [1, 5, 20, 40, 80, 200])
@pytest.mark.parametrize("height", [1, 4, 8, 12, 24, 80])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_no_line_is_wider_than_the_terminal(width: int, height: int, encoding: str) -> None:
    lines = drawn(incorporation(), width, height, "A notice", encoding).splitlines()
    assert max(map(len, lines)) <= width


def test_a_notice_stands_in_the_header() -> None:
    assert drawn(incorporation(), notice="Connecting again.").splitlines()[2] == "Connecting again."


def test_why_a_root_failed_or_was_cancelled_stands_in_the_header() -> None:
    failed = execution(
        "exec_root", "A", "FAILED", step("a"), failure={"code": "BROKEN", "message": "It\nbroke."}
    )
    assert drawn(tree(failed)).splitlines()[2] == "BROKEN: It broke."
    cancelled = execution("exec_root", "A", "CANCELLED", step("a"), reason="No more")
    assert drawn(tree(cancelled)).splitlines()[1:3] == [
        "cancelled 1h 00m  ────────── 0 of 1 steps  revision 26",
        "No more",
    ]


def test_names_cannot_write_to_the_terminal() -> None:
    root = execution("exec_root", "A\x1b[2J\r\nB\u202eC", "NOT_STARTED", step("a", name="\x9b31mred"))
    assert drawn(tree(root)).splitlines() == [
        "A [2J B C  exec_root",
        "not started  ────────── 0 of 1 steps  revision 26",
        "",
        "· 31mred",
    ]


# ---- What does not fit


def crowd(children: int) -> Tree:
    """A root whose step has started many: of ten one has failed, two run, and the others are completed."""
    root = execution(
        "exec_root", "Crowd", "IN_PROGRESS", step("a", "COMPLETED"), step("run", "IN_PROGRESS"), step("end")
    )

    def child(index: int) -> dict[str, object]:
        status = {0: "FAILED", 1: "IN_PROGRESS", 2: "IN_PROGRESS"}.get(index % 10, "COMPLETED")
        steps = (step("one", "COMPLETED"), step("two", status), step("three"))
        return execution(f"exec_{index}", f"Child {index}", status, *steps, below=("exec_root", "run", index))

    return tree(root, *map(child, range(children)))


@pytest.mark.parametrize("children", [1, 5, 10, 100, 600])
@pytest.mark.parametrize("height", [4, 6, 9, 15, 24, 50, 200, 3000])
def test_a_picture_is_never_higher_than_the_terminal(children: int, height: int) -> None:
    assert len(drawn(crowd(children), height=height).splitlines()) <= height


def test_steps_of_what_has_ended_well_give_way_first() -> None:
    lines = drawn(crowd(10), height=24).splitlines()
    assert "├── ✓ Child 3  ━━━━━━──── 2/3  1h 00m" in lines
    assert lines[5:11] == [
        "├── ✗ Child 0  ━━━─────── 1/3  failed",
        "│   └── ✗ Two  failed",
        "├── ▸ Child 1  ━━━─────── 1/3  in progress 1h 01m",
        "│   └── ▸ Two  in progress 1m 35s",
        "├── ▸ Child 2  ━━━─────── 1/3  in progress 1h 01m",
        "│   └── ▸ Two  in progress 1m 35s",
    ]
    assert lines[-1] == "· End"


def test_of_many_children_those_are_shown_that_failed_or_run_and_the_others_are_counted() -> None:
    assert drawn(crowd(600), height=15).splitlines() == [
        "Crowd  exec_root",
        "in progress 1h 01m  ━━━─────── 1 of 3 steps  revision 26",
        "",
        "▸ Run  in progress 1m 35s",
        "├── ✗ Child 0  ━━━─────── 1/3  failed",
        "│   └── ✗ Two  failed",
        "├── ✗ Child 10  ━━━─────── 1/3  failed",
        "│   └── ✗ Two  failed",
        "├── ✗ Child 20  ━━━─────── 1/3  failed",
        "│   └── ✗ Two  failed",
        "├── ✗ Child 30  ━━━─────── 1/3  failed",
        "│   └── ✗ Two  failed",
        "└── and 596 more: 420 completed, 120 in progress, 56 failed",
    ]
