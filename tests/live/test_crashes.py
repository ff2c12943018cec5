"""`kill -9` at any point loses, doubles and halves nothing (`security.md` O4).

For longer: `make crashes KILLS=500`.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from signal import SIGKILL

import orjson
import pytest

from db.migrate import missing_migrations
from tests.databases import empty_postgresql, sqlite_url
from tests.live.chaos.checking import folded, violations
from tests.live.chaos.crashes import AT_ANY_TIME, Report, doubled, run
from tests.live.chaos.deaths import POINTS
from tests.live.chaos.house import deeds_in
from tests.live.chaos.serve import VARIABLE, Harm
from tests.servers import environment, run_command

KILLS = len(POINTS) + 1  # each point once


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_what_was_acknowledged_is_there_once_and_nothing_by_half(kind: str, tmp_path: Path) -> None:
    report = run(kind, KILLS, 1, tmp_path)
    assert report.found == [], f"the logs are in {tmp_path}"
    assert set(report.deaths) == {*POINTS, AT_ANY_TIME}
    noted = deeds_in(tmp_path / "deeds.jsonl")
    assert all(noted[f"died {point}"] == report.deaths[point] for point in POINTS)
    for plant in (lose_the_last, carry_out_twice, leave_half):
        assert found_in(report, plant), f"the check does not see: {plant.__name__}"


Plant = Callable[[Report], None]


def found_in(report: Report, plant: Plant) -> list[str]:
    """What the check finds where this had happened."""
    harmed = deepcopy(report)
    plant(harmed)
    return violations(harmed.truth, [], harmed.acknowledged) + doubled(
        harmed.truth, harmed.acknowledged, harmed.owned
    )


def lose_the_last(report: Report) -> None:
    """A command of the longest tree that was acknowledged and then forgotten, rows and journal alike."""
    truth, root_id = report.truth, _longest(report)
    last = truth.of_root(root_id)[-1]
    truth.changes.remove(last)
    truth.revisions[root_id] -= 1
    truth.trees[root_id] = folded(truth.of_root(root_id))


def carry_out_twice(report: Report) -> None:
    """A command that was carried out twice, and answered once."""
    truth, root_id = report.truth, _longest(report)
    last = deepcopy(truth.of_root(root_id)[-1])
    last["revision"] += 1
    truth.changes.append(last)
    truth.revisions[root_id] += 1
    truth.trees[root_id] = folded(truth.of_root(root_id))


def leave_half(report: Report) -> None:
    """Rows that were written without their journal."""
    truth, root_id = report.truth, _longest(report)
    truth.trees[root_id][root_id]["runtimeStatus"] = "NOT_STARTED"


def _longest(report: Report) -> str:
    return max(report.owned, key=lambda root_id: report.truth.revisions[root_id])


@pytest.mark.parametrize("passes", [7, 45])
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_migration_that_was_killed_is_done_by_the_next(kind: str, passes: int, tmp_path: Path) -> None:
    """Killed before one of its statements."""
    file = sqlite_url(tmp_path / "new.db")
    with nullcontext(file) if kind == "sqlite" else empty_postgresql() as url:
        harm = Harm(str(tmp_path / "deeds.jsonl"), dies_at="migrating", passes=passes)
        killed = subprocess.run(
            [sys.executable, "-m", "tests.live.chaos.serve", "migrate", "--database", url],
            cwd=tmp_path,
            env=environment(**{VARIABLE: orjson.dumps(asdict(harm)).decode()}),
            check=False,
        )
        assert killed.returncode == -SIGKILL
        assert asyncio.run(missing_migrations(url))
        assert run_command("migrate", "--database", url, cwd=tmp_path).code == 0
        assert asyncio.run(missing_migrations(url)) == []
