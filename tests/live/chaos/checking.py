"""What clients saw against what the database holds: every way in which a change may be lost, doubled or misplaced."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from db.runtime.changes import Change, ChangeKind
from tests.contract.fold import Folded, fold, shown
from tests.folding import folded as folded_page
from tests.live.chaos.streams import JSON

ENDED = ("COMPLETED", "FAILED", "CANCELLED")
Place = tuple[str, int]  # a root's id and a revision


@dataclass
class Truth:
    """What the final queries answer: all changes in the journal's order, each tree, and executions and the page of a list
    as they are watched.
    """

    changes: list[JSON]
    trees: dict[str, Folded]
    revisions: dict[str, int]
    states: dict[str, JSON] = field(default_factory=dict)
    page: list[JSON] = field(default_factory=list)

    def of_root(self, root_id: str) -> list[JSON]:
        """A tree's changes by revision."""
        found = [each for each in self.changes if each["rootWorkflowExecutionId"] == root_id]
        return sorted(found, key=lambda change: change["revision"])


@dataclass
class Seen:
    """What one client saw of `root_id`, or of all trees from `begin` on where that is None.

    `begin`: the revision, or the number of changes in the journal, after which it was to be told all; None: what its
    first snapshot says. `is_over`: its stream has completed.
    """

    name: str
    what: str
    root_id: str | None
    begin: int | None
    records: list[JSON]
    fault: str | None = None
    is_over: bool = False


def place_of(change: Mapping[str, object]) -> Place:
    return str(change["rootWorkflowExecutionId"]), int(str(change["revision"]))


def folded(changes: Iterable[JSON], onto: Folded | None = None) -> Folded:
    """The tree that these changes make, from the first on or on from a tree."""
    return fold(map(_change, changes), onto)


def violations(truth: Truth, clients: Sequence[Seen], acknowledged: Sequence[JSON]) -> list[str]:
    """Everything that is wrong, in words."""
    found = [*_of_journal(truth), *_of_commands(truth, acknowledged)]
    for seen in clients:
        if seen.fault:
            found.append(f"{seen.name}: {seen.fault}")
        check = {"tree": _of_tree, "changes": _of_changes, "state": _of_state, "list": _of_list}[seen.what]
        found += [f"{seen.name}: {each}" for each in check(truth, seen)]
    return found


def _of_journal(truth: Truth) -> Iterator[str]:
    """The journal is dense in each tree, in the order of revisions, and folds to the rows."""
    by_root: dict[str, list[JSON]] = {}
    for change in truth.changes:
        by_root.setdefault(change["rootWorkflowExecutionId"], []).append(change)
    for root_id, revision in truth.revisions.items():
        changes = by_root.pop(root_id, [])
        if [each["revision"] for each in changes] != list(range(1, revision + 1)):
            yield f"the journal of {root_id} is not 1 to {revision} in that order"
        elif folded(changes) != truth.trees[root_id]:
            yield f"the journal of {root_id} does not fold to its rows"
    if by_root:
        yield f"the journal has trees that nobody created: {list(by_root)}"


def _of_commands(truth: Truth, acknowledged: Sequence[JSON]) -> Iterator[str]:
    """What was acknowledged is there, and nothing was done twice: each revision is one command's."""
    kinds = {place_of(change): change["kind"] for change in truth.changes}
    owners: dict[Place, str] = {}
    for answer in acknowledged:
        for change in answer["changes"]:
            place = (answer["root"], change["revision"])
            if kinds.get(place) != change["kind"]:
                yield f"{answer['key']} was acknowledged with {change['kind']} at {place}, which is {kinds.get(place)}"
            if owners.setdefault(place, answer["key"]) != answer["key"]:
                yield f"{place} is claimed by {owners[place]} and by {answer['key']}"


class _Folding:
    """A tree as its follower has it."""

    def __init__(self, seen: Seen, known: Mapping[int, JSON]) -> None:
        self.position = seen.begin
        self.tree: Folded | None = {} if seen.begin == 0 else None
        self._known = known

    def take(self, record: JSON) -> Iterator[str]:
        """What is wrong with the next record."""
        revision = record.get("revision")
        if record["saw"] not in ("snapshot", "change", "until", "ended"):
            yield f"was told {record}"
        elif record["saw"] == "change":
            if self.position is None or revision != self.position + 1:
                yield f"saw revision {revision} after {self.position}"
            if _without_saw(record) != self._known.get(revision):
                yield f"saw another change at revision {revision} than there is"
            self.position = revision
            self.tree = folded([record], self.tree)
        elif record["saw"] == "snapshot":
            if record["reason"] != "START" or self.tree is not None:
                yield f"was given the state at {revision} after {self.position}: {record['reason']}"
            self.position = revision
            self.tree = {each["id"]: shown(each, each["steps"]) for each in record["executions"]}
        else:
            if revision != self.position:
                yield f"was told that revision {revision} is reached at {self.position}"
            if record["saw"] == "ended" and record["root"]["runtimeStatus"] not in ENDED:
                yield f"was told of an end in {record['root']}"


def _of_tree(truth: Truth, seen: Seen) -> Iterator[str]:
    """The state, then every later revision once and in order; folded it is what the final query shows."""
    assert seen.root_id is not None
    known = {change["revision"]: change for change in truth.of_root(seen.root_id)}
    folding = _Folding(seen, known)
    for record in seen.records:
        try:
            yield from folding.take(record)
        except KeyError as unknown:
            yield f"was told at revision {record.get('revision')} of {unknown}, which it has not seen created"
            return
    position = folding.position or 0
    later = [change for revision, change in known.items() if revision > position]
    if later and not (seen.is_over and _is_over_for_good(seen.records[-1]) and _are_only_data(later)):
        yield f"ended at revision {position} of {truth.revisions[seen.root_id]}"
    elif folded(later, folding.tree) != truth.trees[seen.root_id]:
        yield "what it folded is not the tree"


def _is_over_for_good(record: JSON) -> bool:
    return record["saw"] == "ended" and record["root"]["runtimeStatus"] in ("COMPLETED", "CANCELLED")


def _are_only_data(changes: Sequence[JSON]) -> bool:
    """What may still happen in a tree that is over: the context of a child that had failed is changed (H5)."""
    return all(change["kind"] == ChangeKind.CONTEXT_UPDATED for change in changes)


def _of_changes(truth: Truth, seen: Seen) -> Iterator[str]:
    """Every change after the place where it began, once, in the journal's order."""
    expected = truth.changes if seen.root_id is None else truth.of_root(seen.root_id)
    expected = expected[seen.begin or 0 :]
    others = [record for record in seen.records if record["saw"] != "change"]
    if others:
        yield f"was told {others[:3]}"
    got = [_without_saw(record) for record in seen.records if record["saw"] == "change"]
    if got == expected:
        return
    places, wanted = [place_of(each) for each in got], [place_of(each) for each in expected]
    if doubled := [place for place, times in Counter(places).items() if times > 1]:
        yield f"saw twice: {doubled[:3]} ({len(doubled)} in all)"
    if missed := set(wanted) - set(places):
        first = [place for place in wanted if place in missed]
        yield f"missed {first[:3]} ({len(missed)} of {len(wanted)})"
    if strange := set(places) - set(wanted):
        yield f"saw what was not to be seen: {sorted(strange)[:3]}"
    if sorted(places) == sorted(wanted):
        yield "saw them in another order" if places != wanted else "saw other changes than there are"


def _of_state(truth: Truth, seen: Seen) -> Iterator[str]:
    """Never an older state than before, and at last the final one."""
    assert seen.root_id is not None
    states = [_without_saw(record) for record in seen.records if record["saw"] == "state"]
    if len(states) != len(seen.records):
        yield "was told something else than states"
    revisions = [state["revision"] for state in states]
    if revisions != sorted(revisions):
        yield f"saw an older state after a newer one: {revisions}"
    if not states or states[-1] != truth.states[seen.root_id]:
        yield f"did not end in the final state but at revision {revisions[-1:]}"


def _of_list(truth: Truth, seen: Seen) -> Iterator[str]:
    """First the page, then only what has changed on it; folded it is what the final query shows."""
    page: list[JSON] = []
    for record in seen.records:
        if record["saw"] != "entries":
            yield f"was told {record}"
            continue
        kinds = {entry["kind"] for entry in record["entries"]}
        if kinds - {"INITIAL"} if record["begins"] else not kinds or "INITIAL" in kinds:
            yield f"was told {sorted(kinds)} {'at first' if record['begins'] else 'later'}"
        page = folded_page([] if record["begins"] else page, record["entries"])
    if [row["workflowExecution"] for row in page] != truth.page:
        yield "what it folded is not the page"


def _without_saw(record: JSON) -> JSON:
    return {name: value for name, value in record.items() if name != "saw"}


def _change(shown_change: JSON) -> Change:
    """A change of the API as the runtime's."""
    return Change(
        revision=shown_change["revision"],
        kind=ChangeKind(shown_change["kind"]),
        at=datetime.fromisoformat(shown_change["at"]),
        execution_id=shown_change["workflowExecutionId"],
        step_execution_id=shown_change["stepExecutionId"],
        from_status=None,
        to_status=None,
        attempt=shown_change["attempt"],
        reason=shown_change["reason"],
        data=shown_change["data"],
    )
