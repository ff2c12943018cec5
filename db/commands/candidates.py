"""Which steps could be claimed now, the oldest first, read without a lock (`runtime.md` T3).

What it costs does not grow with the number of steps that wait: from each place where work may be – a type, or a step of a
version – an index gives the first few, and those whose lease has passed are few, for the timer marks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    literal_column,
    or_,
    select,
    union_all,
)

from db.commands.rows import clock, steps
from db.elements import JSONRows, OneOf
from db.ids import IdKind, is_id
from db.runtime.definition import StepType
from db.statements import Statement
from db.tables import StepDefinition, WorkflowTemplate, WorkflowTemplateVersion, table_of

CLAIMABLE = tuple(type_ for type_ in StepType if type_.is_task)

_definitions = table_of(StepDefinition)
_templates = table_of(WorkflowTemplate)
_versions = table_of(WorkflowTemplateVersion)

# The words of the partial indexes: a parameter in them would keep a database from using those.
_current: ColumnElement[bool] = literal_column("step_execution.is_current")
_status: ColumnElement[str] = literal_column("'InProgress'")
_IN_PROGRESS = and_(_current, steps.c.status == _status)
_FREE = and_(_IN_PROGRESS, steps.c.claim_worker.is_(None))
_OURS = steps.c.tenant == bindparam("tenant")
# The same of what an index is to find by something better than that, which most rows are: no index has these words.
_nothing: ColumnElement[str] = literal_column("''")
_OURS_TOO = steps.c.tenant.concat(_nothing) == bindparam("tenant")
# As a query of its own it is read once, and an index can be searched by it.
_now = select(clock).scalar_subquery()
_PASSED = and_(_IN_PROGRESS, steps.c.claim_worker.is_not(None), steps.c.lease_expires_at <= _now)
_CLAIMABLE_TOO = (
    _OURS_TOO,
    _current,
    steps.c.status.concat(_nothing) == _status,
    or_(steps.c.claim_worker.is_(None), steps.c.lease_expires_at <= _now),
)
# So many are read: others are after the first ones too. As a parameter it would have PostgreSQL make its plan each time.
FEW, MANY = 64, 160
_COLUMNS = (steps.c.started_at, steps.c.id, steps.c.execution_id, steps.c.root_id)


class Candidate(NamedTuple):
    """A step that nobody had when it was read. `started_at` is text by which candidates of one reading are ordered."""

    started_at: str
    id: str
    execution_id: str
    root_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which steps are wanted; each filter that is there must hold. Without types: all that can be claimed."""

    ids: tuple[str, ...] | None = None
    types: tuple[StepType, ...] | None = None
    step_ids: tuple[str, ...] | None = None
    template_keys: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a statement depends on; `types` is how many there are."""

    types: int
    has_ids: bool
    has_steps: bool
    has_keys: bool
    most: int


def candidates_for(wanted: Wanted, tenant: str, limit: int) -> tuple[Statement, dict[str, Any]]:
    """The statement that finds more than `limit` candidates where there are so many, and its values."""
    types = [str(type_) for type_ in CLAIMABLE if wanted.types is None or type_ in wanted.types]
    shape = _Shape(
        len(types),
        wanted.ids is not None,
        wanted.step_ids is not None,
        wanted.template_keys is not None,
        FEW if 2 * limit < FEW else MANY,
    )
    values = {
        "tenant": tenant,
        "types": types,
        "ids": [each for each in wanted.ids or () if is_id(IdKind.STEP_EXECUTION, each)],
        "step_ids": list(wanted.step_ids or ()),
        "keys": list(wanted.template_keys or ()),
        **{f"type{number}": type_ for number, type_ in enumerate(types)},
    }
    return _statement(shape), values


def candidates_of(found: Sequence[tuple[Any, ...]]) -> list[Candidate]:
    """What was found in one reading, the oldest first."""
    return sorted(Candidate(*row) for (rows,) in found for row in rows or ())[:MANY]


@lru_cache(maxsize=64)
def _statement(shape: _Shape) -> Statement:
    """Each row of its answer is a list of candidates."""
    kept = _filters(shape.has_steps, shape.has_keys)
    if shape.has_ids:
        named = select(*_COLUMNS).where(OneOf(steps.c.id, "ids"), *_CLAIMABLE_TOO, *kept)
        return Statement(select(_list(_first(named, steps.c.started_at, MANY))))
    passed = select(*_COLUMNS).where(_PASSED, _OURS_TOO, *kept)
    expired = _list(_first(passed, steps.c.lease_expires_at, shape.most))
    if shape.has_steps or shape.has_keys:
        return Statement(union_all(_by_place(shape), select(expired)))
    lists = [_list(_of_type(number, shape.most)) for number in range(shape.types)]
    return Statement(union_all(*(select(each) for each in (*lists, expired))))


def _of_type(number: int, most: int) -> Select[Any]:
    return _oldest(most, steps.c.type == bindparam(f"type{number}", type_=steps.c.tenant.type))


def _by_place(shape: _Shape) -> Select[Any]:
    """The first few of each step of a version that is admitted."""
    places = select(_definitions.c.version_id, _definitions.c.step_id).where(
        _definitions.c.tenant == bindparam("tenant"), OneOf(_definitions.c.type, "types")
    )
    if shape.has_steps:
        places = places.where(OneOf(_definitions.c.step_id, "step_ids"))
    if shape.has_keys:
        places = places.where(_definitions.c.version_id.in_(_admitted_versions()))
    place = places.subquery("place")
    here = (steps.c.version_id == place.c.version_id, steps.c.step_id == place.c.step_id)
    return select(_list(_oldest(shape.most, *here).correlate(place), place)).select_from(place)


def _filters(has_steps: bool, has_keys: bool) -> list[ColumnElement[bool]]:
    """The filters on a step that was found in another way than by them."""
    kept: list[ColumnElement[bool]] = [OneOf(steps.c.type, "types")]
    if has_steps:
        kept.append(OneOf(steps.c.step_id, "step_ids"))
    if has_keys:
        kept.append(steps.c.version_id.in_(_admitted_versions()))
    return kept


def _admitted_versions() -> Select[Any]:
    return (
        select(_versions.c.id)
        .join_from(_templates, _versions, _versions.c.template_id == _templates.c.id)
        .where(_templates.c.tenant == bindparam("tenant"), OneOf(_templates.c.key, "keys"))
    )


def _oldest(most: int, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Steps that nobody has."""
    return _first(select(*_COLUMNS).where(_OURS, _FREE, *conditions), steps.c.started_at, most)


def _first(found: Select[Any], order: ColumnElement[Any], most: int) -> Select[Any]:
    return found.order_by(order, steps.c.id).limit(literal_column(str(most)))


def _list(found: Select[Any], *outer: Any) -> ColumnElement[Any]:
    """Rows as a JSON array of arrays."""
    inner = found.subquery()
    listed = select(JSONRows(*inner.c)).select_from(inner)
    return listed.correlate(*outer).scalar_subquery()
