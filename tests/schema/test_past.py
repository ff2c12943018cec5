"""`asOf: n` shows what was shown when the tree was at revision n, whatever has happened since (`live.md` J6)."""

from pathlib import Path

import pytest

import db.runtime
from db.runtime.changes import ChangeKind
from db.store import Store
from tests.api import Api
from tests.contract.fold import fold, shown
from tests.contract.tables import change_of, journal_of
from tests.contract.test_journal import ROWS
from tests.schema.histories import History, executions, lived, walked, worked

FOLDED = ROWS.replace("($id: ID!)", "($id: ID!, $asOf: Int)").replace("(id: $id)", "(id: $id, asOf: $asOf)")


# Seeds whose trees live long, and together meet every kind of change, batches, loops, and retries that keep children.
WALKS, LIVES = (0, 3, 8, 22), (2, 8, 21, 22)


async def assert_remembered(history: History) -> None:
    """Every state that was recorded is shown again, of the root and of each execution below it."""
    for revision, recorded in history.shown.items():
        assert await history.look(revision) == recorded, f"the root at {revision}"
    below = history.last["descendantWorkflowExecutions"]["nodes"]  # newest first
    for child in (*below[:1], *below[1:][-2:]):
        for revision, recorded in history.shown.items():
            found = await history.look(revision, child["id"])
            then = next((each for each in executions(recorded) if each["id"] == child["id"]), None)
            assert (found and executions(found)[0]) == then, f"{child['id']} at {revision}"


async def assert_folds(history: History) -> None:
    """Also in the midst of a command the rows are what the journal folds to."""
    changes = [change_of(row) for row in await journal_of(history.api.store.database, history.root_id)]
    for revision in range(1, len(changes) + 1):
        for id_, expected in fold(changes[:revision]).items():
            row = (await history.api.data(FOLDED, id=id_, asOf=revision))["workflowExecution"]
            assert shown(row, row.pop("steps")) == expected, f"{id_} at {revision}"


@pytest.mark.parametrize("seed", WALKS)
async def test_j6_a_walk_is_remembered(store: Store, tenant: str, seed: int) -> None:
    history = await walked(store, tenant, seed, length=20)
    await assert_remembered(history)


@pytest.mark.parametrize("seed", LIVES)
async def test_j6_a_life_is_remembered(api: Api, seed: int) -> None:
    history = await lived(api, seed, length=20)
    await assert_remembered(history)


async def test_j6_t1_t3_claims_and_marks_are_remembered(api: Api) -> None:
    await assert_remembered(await worked(api))


@pytest.mark.parametrize("seed", [22])
async def test_j2_j6_every_revision_is_what_the_journal_folds_to(api: Api, seed: int) -> None:
    await assert_folds(await lived(api, seed, length=8))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_histories_hold_whatever_can_be_looked_back_on(store: Store, tenant: str) -> None:
    """What does not happen is not compared."""
    seen: set[str] = set()
    for seed in WALKS:
        seen |= happened(await walked(store, f"{tenant}-{seed}", seed, length=20))
    for seed in LIVES:
        seen |= happened(await lived(Api(store, f"{tenant}-life-{seed}"), seed, length=20))
    seen |= happened(await worked(Api(store, f"{tenant}-work")))
    runtime = "".join(path.read_text() for path in Path(db.runtime.__file__).parent.glob("*.py"))
    made = {kind.name for kind in ChangeKind if f"ChangeKind.{kind.name}" in runtime}
    assert seen >= {*made, "two attempts", "children taken over", "a child of a child", "a batch"}


def happened(history: History) -> set[str]:
    """The kinds of changes, and what cannot be told by one."""
    found: set[str] = set()
    for execution in executions(history.last):
        found |= {change["kind"] for change in execution["changes"]["nodes"]}
        attempts = [attempt for step in execution["steps"] for attempt in step["attempts"]]
        listed = [child["id"] for attempt in attempts for child in attempt["childWorkflowExecutions"]]
        is_below = execution["parentWorkflowExecution"] is not None
        found |= {
            name
            for name, holds in {
                "two attempts": len(attempts) > len(execution["steps"]),
                "children taken over": len(set(listed)) < len(listed),
                "a child of a child": is_below and bool(listed),
                "a batch": any(len(attempt["childWorkflowExecutions"]) > 1 for attempt in attempts),
            }.items()
            if holds
        }
    return found
