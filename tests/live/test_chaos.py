"""Nothing is lost, whatever happens to servers, broker, database and connections (`live.md` 5.1).

For longer: `make chaos MINUTES=30`. A seed that failed there is added to `SEEDS`, and stays.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.live.chaos.checking import Seen, Truth, folded, place_of, violations
from tests.live.chaos.house import SETTINGS, Setting
from tests.live.chaos.scenario import Report, expected_counts, run
from tests.live.chaos.streams import JSON

SEEDS = {
    "sqlite-memory-1": [1],
    "postgresql-redis-1": [1],
    "postgresql-redis-2": [1],
    "postgresql-postgresql-2": [1],
}
MARKS = {"postgresql": pytest.mark.postgresql, "redis": pytest.mark.redis}


def runs() -> list[object]:
    """Each setting with its seeds."""
    return [
        pytest.param(
            setting,
            seed,
            id=f"{name}-seed-{seed}",
            marks=[MARKS[part] for part in (setting.database, setting.broadcast) if part in MARKS],
        )
        for name, setting in SETTINGS.items()
        for seed in SEEDS[name]
    ]


@pytest.mark.parametrize(("setting", "seed"), runs())
def test_no_client_misses_or_doubles_a_change_whatever_happens(
    setting: Setting, seed: int, tmp_path: Path
) -> None:
    report = run(setting, seed, tmp_path)
    assert report.found == [], f"the logs are in {tmp_path}"
    assert [name for name in expected_counts(setting) if not report.counts[name]] == []
    assert report.careless, "a client that forgets where it stood has missed nothing: the run proves nothing"
    for name, plant in PLANTED.items():
        assert planted(report, plant), f"the check does not see: {name}"
    assert violations(without_the_last_change(report), [], report.acknowledged)
    for seen in report.clients:
        assert seen.what not in ("state", "list") or violations(
            report.truth, [_with(seen, forget_the_end)], []
        )


Plant = Callable[[list[JSON]], None]


def drop(records: list[JSON]) -> None:
    del records[_a_change(records)]


def double(records: list[JSON]) -> None:
    records.insert(_a_change(records), records[_a_change(records)])


def swap(records: list[JSON]) -> None:
    at = _a_change(records)
    records[at], records[at + 1] = records[at + 1], records[at]


def stop_early(records: list[JSON]) -> None:
    del records[_a_change(records) :]


def alter(records: list[JSON]) -> None:
    records[_a_change(records)]["data"]["revision"] += 1


def begin_again(records: list[JSON]) -> None:
    records.insert(_a_change(records), {"saw": "resync", "why": "EPOCH_CHANGED"})


PLANTED: dict[str, Plant] = {
    "a change is missing": drop,
    "a change comes twice": double,
    "two changes come in another order": swap,
    "nothing comes any more": stop_early,
    "another change than there is": alter,
    "a resync for no reason": begin_again,
}


def forget_the_end(records: list[JSON]) -> None:
    end = records[-1]
    records[:] = [record for record in records if record != end]


def without_the_last_change(report: Report) -> Truth:
    """A database that is whole, and has lost the end of a tree that was acknowledged."""
    truth = deepcopy(report.truth)
    root_id, revision = report.acknowledged[-1]["root"], report.acknowledged[-1]["revision"]
    truth.changes = [
        each
        for each in truth.changes
        if place_of(each) < (root_id, revision) or each["rootWorkflowExecutionId"] != root_id
    ]
    truth.revisions[root_id] = revision - 1
    truth.trees[root_id] = folded(truth.of_root(root_id))
    return truth


def _a_change(records: list[JSON]) -> int:
    """Not the first and not the last, and one that is followed by another."""
    changes = [
        number
        for number, (record, following) in enumerate(pairwise(records))
        if record["saw"] == following["saw"] == "change"
    ]
    return changes[len(changes) // 2]


def planted(report: Report, plant: Plant) -> bool:
    """Whether every client that is given this fault afterwards is found to have it."""
    victims = [each for each in report.clients if each.what == "changes" and each.root_id is None]
    victims += [
        max((each for each in report.clients if each.what == "tree"), key=lambda each: len(each.records))
    ]
    return all(violations(report.truth, [_with(each, plant)], []) for each in victims)


def _with(seen: Seen, plant: Plant) -> Seen:
    records = deepcopy(seen.records)
    plant(records)
    return replace(seen, records=records)
