"""50 workers on 2 servers, 20 % killed or frozen past their leases: every step is completed once (`runtime.md` T3)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.databases import sqlite_url
from tests.live.brokers import REDIS_URL
from tests.live.fleet.checking import LATE, Truth, violations
from tests.live.fleet.notes import JSON
from tests.live.fleet.scenario import Report, run
from tests.process.pairs import pair_of_servers
from tests.process.quiet import said_since_start

SEED = 1


@dataclass(frozen=True)
class Setting:
    """Where a fleet works, and how much."""

    database: str
    broadcast: str
    steps: int


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.redis),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Setting:
    """SQLite with Redis, and fewer steps, for it has one writer; PostgreSQL for both."""
    if request.param == "sqlite":
        return Setting(sqlite_url(tmp_path / "fleet.db"), REDIS_URL, 1_000)
    url: str = request.getfixturevalue("migrated_postgresql_url")
    return Setting(url, url, 5_000)


async def test_every_step_is_completed_once_whoever_is_killed_or_frozen(
    setting: Setting, tmp_path: Path
) -> None:
    with pair_of_servers(setting.database, setting.broadcast, tmp_path) as pair:
        urls = [server.url for server in pair]
        report = await run(setting.database, urls, setting.steps, SEED, tmp_path)
        assert [server.stop() for server in pair] == [0, 0]
        assert [said_since_start(server.output) for server in pair] == [[], []]
    assert report.found == [], f"the notes are in {tmp_path}"
    answers = {note["token"]: note["result"] for note in report.notes if note["what"] == "answered"}
    assert len(report.killed) > 1
    assert not answers.keys() & report.killed.keys()
    assert len(report.frozen) > 1
    assert {answers[token] for token in report.frozen} <= set(LATE)
    assert any(note["what"] == "kept" for note in report.notes)
    for name, plant in PLANTED.items():
        assert planted(report, plant), f"the check does not see: {name}"


Plant = Callable[[Report, Truth, list[JSON]], None]


def planted(report: Report, plant: Plant) -> bool:
    """Whether a fault that is made afterwards is found."""
    truth, notes = deepcopy(report.truth), deepcopy(report.notes)
    plant(report, truth, notes)
    return bool(violations(truth, notes, report.expected))


def of_frozen(report: Report) -> tuple[str, str]:
    """A token that was lost, and its step."""
    return next(iter(report.frozen.items()))


def lose(report: Report, truth: Truth, _: list[JSON]) -> None:
    del truth.steps[of_frozen(report)[1]]


def leave(report: Report, truth: Truth, _: list[JSON]) -> None:
    truth.steps[of_frozen(report)[1]]["status"] = "InProgress"


def double(report: Report, truth: Truth, _: list[JSON]) -> None:
    truth.journal += of_kind(report, truth, "STEP_COMPLETED")


def of_kind(report: Report, truth: Truth, kind: str) -> list[JSON]:
    """What the journal tells of the step that the frozen one lost."""
    step = of_frozen(report)[1]
    return [row for row in truth.journal if row["step_execution_id"] == step and row["kind"] == kind]


def steal(report: Report, truth: Truth, _: list[JSON]) -> None:
    for row in of_kind(report, truth, "STEP_CLAIM_EXPIRED"):
        truth.journal.remove(row)


def let_the_late_one_win(report: Report, truth: Truth, notes: list[JSON]) -> None:
    token, step = of_frozen(report)
    worker = next(note["worker"] for note in notes if note.get("token") == token)
    truth.steps[step]["output_data"] = {"worker": worker, "token": token}


def thank_the_late_one(report: Report, _: Truth, notes: list[JSON]) -> None:
    answer_of_frozen(report, notes)["result"] = "TransitionSuccess"


def refuse_the_late_one_oddly(report: Report, _: Truth, notes: list[JSON]) -> None:
    answer_of_frozen(report, notes)["result"] = "NotFound"


def answer_of_frozen(report: Report, notes: list[JSON]) -> JSON:
    token = of_frozen(report)[0]
    return next(note for note in notes if note["what"] == "answered" and note["token"] == token)


def complete_late(report: Report, truth: Truth, _: list[JSON]) -> None:
    truth.steps[of_frozen(report)[1]]["completed_at"] += timedelta(hours=1)


def give_twice(_: Report, __: Truth, notes: list[JSON]) -> None:
    notes.append(next(note for note in notes if note["what"] == "claimed"))


PLANTED: dict[str, Plant] = {
    "a step is not there": lose,
    "a step is left": leave,
    "a step is completed twice": double,
    "a step is claimed while somebody has it": steal,
    "who lost the claim completes": let_the_late_one_win,
    "who lost the claim is told that he completed": thank_the_late_one,
    "who lost the claim is told something else": refuse_the_late_one_oddly,
    "a step is completed after the lease": complete_late,
    "two have one token": give_twice,
}
