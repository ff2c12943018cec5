"""A tree as it is drawn: a header, then the steps of the root with what they started below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console, ConsoleOptions, OverflowMethod, RenderResult
from rich.text import Text
from rich.tree import Tree as Branches

from server.watching.events import JSON
from server.watching.outline import ExecutionRow, OthersRow, Row, StepRow, outline
from server.watching.tree import Tree
from server.watching.words import done, duration, failure_words, moment, one_line, status_words, took

_STYLES: Final = {
    "NOT_STARTED": "dim",
    "IN_PROGRESS": "cyan",
    "COMPLETED": "green",
    "FAILED": "bold red",
    "CANCELLED": "yellow",
    "DISABLED": "dim",
}
MARKS: Final = {
    "NOT_STARTED": "·",
    "IN_PROGRESS": "▸",
    "COMPLETED": "✓",
    "FAILED": "✗",
    "CANCELLED": "⊘",
    "DISABLED": "–",
}
_ASCII_MARKS: Final = {
    "NOT_STARTED": ".",
    "IN_PROGRESS": ">",
    "COMPLETED": "+",
    "FAILED": "x",
    "CANCELLED": "/",
    "DISABLED": "-",
}
_GUIDE: Final = 4  # columns that a level is set in
_WIDE: Final = 60  # columns from which there is room for bars
_BAR: Final = 10


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen at one moment, never higher than the terminal. `notice` is a line for what is not of the tree."""

    tree: Tree
    now: datetime
    notice: str | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return _Drawing(self, options).lines()


class _Drawing:
    def __init__(self, frame: Frame, options: ConsoleOptions) -> None:
        self._frame = frame
        self._now = frame.now
        self._width = options.max_width
        self._height = options.max_height
        self._is_ascii = options.ascii_only
        # Rich's ellipsis is one character, which is not ASCII.
        self._overflow: OverflowMethod = "crop" if self._is_ascii else "ellipsis"

    def lines(self) -> RenderResult:
        header = [*self._header(), Text()]
        # The cursor stands on the line below.
        room = max(1, self._height - len(header) - 1)
        rows = outline(self._frame.tree, room)
        branches = Branches("", hide_root=True, guide_style="dim")
        self._grow(branches, rows, 0, _Room(room))
        yield from header
        yield branches

    def _header(self) -> RenderResult:
        root = self._frame.tree.root
        yield self._fit(Text(one_line(root["name"]), style="bold"), 0, Text(root["id"], style="dim"))
        status = root["runtimeStatus"]
        words = Text(status_words(status), style=_STYLES[status])
        words.append(self._after(took(root, self._now)), style="default")
        completed, total = done(root)
        words = Text.assemble(words, "  ", self._bar(completed, total), f"{completed} of {total} steps", "  ")
        words.append(f"revision {self._frame.tree.revision}", style="dim")
        yield self._cut(words)
        because = failure_words(root) or (root["reason"] and one_line(root["reason"]))
        if because:
            yield self._cut(Text(because, style=_STYLES[status]))
        if self._frame.notice:
            yield self._cut(Text(one_line(self._frame.notice), style="yellow"))

    def _grow(self, branches: Branches, rows: Sequence[Row], depth: int, room: "_Room") -> None:
        for row in rows:
            if not room.take():
                return
            grown = branches.add(self._label(row, depth))
            if not isinstance(row, OthersRow):
                self._grow(grown, row.below, depth + 1, room)

    def _label(self, row: Row, depth: int) -> Text:
        match row:
            case StepRow(step):
                return self._row(step["status"], step["name"], depth, self._of_step(step))
            case ExecutionRow(execution):
                status = execution["runtimeStatus"]
                return self._row(status, execution["name"], depth, self._of_execution(execution))
        return self._cut(Text(_others(row), style="dim"), depth)

    def _row(self, status: str, name: str, depth: int, more: Text) -> Text:
        mark = (_ASCII_MARKS if self._is_ascii else MARKS)[status]
        faint = "dim" if status in ("NOT_STARTED", "DISABLED") else "default"
        label = Text.assemble((mark, _STYLES[status]), " ", (one_line(name), faint))
        return self._fit(label, depth, more)

    def _of_step(self, step: JSON) -> Text:
        status = step["status"]
        parts = [self._standing(step, status)]
        if status == "IN_PROGRESS" and step["dueAt"]:
            parts.append(self._due(moment(step["dueAt"])))
        if step["claim"]:
            parts.append(f"with {one_line(step['claim']['worker'])}")
        if step["attempt"] > 1:
            parts.append(f"attempt {step['attempt']}")
        if step["retryAt"]:
            parts.append(f"next attempt in {duration(moment(step['retryAt']) - self._now)}")
        return Text(_with_failure(", ".join(filter(None, parts)), step), style=_STYLES[status])

    def _of_execution(self, execution: JSON) -> Text:
        completed, total = done(execution)
        status = execution["runtimeStatus"]
        standing = _with_failure(self._standing(execution, status), execution)
        gap = "  " if standing else ""
        return Text.assemble(
            self._bar(completed, total), f"{completed}/{total}", gap, (standing, _STYLES[status])
        )

    def _standing(self, row: JSON, status: str) -> str:
        """The status in words, but where the mark says it all."""
        time = took(row, self._now)
        match status:
            case "NOT_STARTED":
                return ""
            case "COMPLETED":
                return "" if time in (None, "0s") else str(time)
        return status_words(status) + (self._after(time) if status == "IN_PROGRESS" else "")

    def _due(self, due: datetime) -> str:
        left = due - self._now
        return f"due in {duration(left)}" if left.total_seconds() >= 0 else f"overdue by {duration(-left)}"

    def _after(self, time: str | None) -> str:
        return f" {time}" if time else ""

    def _bar(self, completed: int, total: int) -> Text:
        if self._width < _WIDE:
            return Text()
        full = _BAR * completed // max(1, total)
        done_mark, open_mark = ("#", ".") if self._is_ascii else ("━", "─")
        return Text.assemble((done_mark * full, "green"), (open_mark * (_BAR - full), "dim"), " ")

    def _fit(self, label: Text, depth: int, more: Text) -> Text:
        """Both on one line: the name gives way first, down to half of it."""
        room = self._width - _GUIDE * depth
        if more.cell_len:
            label.truncate(max(room // 2, room - more.cell_len - 2), overflow=self._overflow)
            label = Text.assemble(label, "  ", more)
        return self._cut(label, depth)

    def _cut(self, line: Text, depth: int = 0) -> Text:
        line.no_wrap = True
        line.truncate(max(1, self._width - _GUIDE * depth), overflow=self._overflow)
        return line


class _Room:
    """How many rows may still be drawn."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def take(self) -> bool:
        self._rows -= 1
        return self._rows >= 0


def _others(row: OthersRow) -> str:
    total = sum(row.statuses.values())
    counts = ", ".join(f"{count} {status_words(status)}" for status, count in row.statuses.most_common())
    return f"and {total} more: {counts}"


def _with_failure(standing: str, row: JSON) -> str:
    because = failure_words(row)
    return f"{standing}: {because}" if because else standing
