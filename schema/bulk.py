"""Commands over many objects: find what a filter matches, carry the command out tree by tree, tell what came of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from graphql import GraphQLObjectType

from db.commands.bulk import Bulk, Target, cancelling, committed_of, recall_done, retrying
from db.commands.guards import Once, Repeated
from db.commands.outcome import Actor, Committed, ManyDone
from db.commands.together import Result
from db.commands.transaction import TreeCommand
from db.runtime.errors import IdempotencyConflict, Refusal
from db.runtime.validation import Issue, Severity
from schema.context import Context, OperationInfo
from schema.given import Given
from schema.inputs import CancelWorkflowExecutionsInput, RetryStepsInput
from schema.matches import CANCELLABLE, RETRYABLE, Matches, MatchKind
from schema.moved import moved_rows
from schema.projection.arguments import MAX_PAGE, BadUserInput, values_at
from schema.refusals import Refused, refused
from schema.results import (
    BulkSuccess,
    InvalidTransition,
    LimitExceeded,
    RevisionConflict,
    ValidationFailed,
    ValidationIssue,
)

DEFAULT_LIMIT: Final = 100
Answer = BulkSuccess | ValidationFailed | LimitExceeded


@dataclass(frozen=True, slots=True)
class BulkKind:
    """A command, and what it can be given to."""

    matching: MatchKind
    give: Callable[[Actor, Target, str | None], TreeCommand]


CANCEL: Final = BulkKind(CANCELLABLE, cancelling)
RETRY: Final = BulkKind(RETRYABLE, retrying)


async def carry_out(
    info: OperationInfo, kind: BulkKind, input: CancelWorkflowExecutionsInput | RetryStepsInput
) -> Answer:
    """Carry a command out over what its filter matches. Raises `BadUserInput`."""
    given = Given(info, replace(input, where=cast("Any", values_at(info._raw_info)["input"]["where"])))
    work = _Work(info, kind, given)
    if given.fields.get("dry_run"):
        matched = await work.matches.count(info.context.reader)
        return BulkSuccess(matched=matched, done=0, remaining=matched, results=[])
    try:
        return await work.answer(given.guard.once)
    except IdempotencyConflict as conflict:
        return _key_is_taken(conflict)


class _Work:
    """One command with its matches."""

    def __init__(self, info: OperationInfo, kind: BulkKind, given: Given) -> None:
        self._context: Context = info.context
        self._kind = kind
        self._reason = given.reason
        node = cast("GraphQLObjectType", info._raw_info.schema.get_type(kind.matching.node))
        self.matches = Matches(
            kind.matching,
            self._context.plans,
            node,
            given.fields["where"],
            limit=_limit(given.fields.get("limit")),
            tenant=self._context.tenant,
        )

    async def answer(self, once: Once | None) -> BulkSuccess:
        """What was done, now or before under the key; raises `IdempotencyConflict`."""
        before = await self._before(once)
        if before is None:
            try:
                return await self._now(once)
            except Repeated:
                before = await self._before(once)
                assert before is not None, "whoever was faster has kept what it did"
        return await self._told(before.matched, committed_of(before))

    async def _before(self, once: Once | None) -> ManyDone | None:
        store, actor = self._context.store, self._context.actor
        return None if once is None else await recall_done(store, actor, once)

    async def _now(self, once: Once | None) -> BulkSuccess:
        """Carry it out, at least in one tree, while less than half of the operation's time has gone."""
        context = self._context
        matched, targets = await self.matches.read(context.reader)
        aimed = [(target, self._kind.give(context.actor, target, self._reason)) for target in targets]
        results: list[Result] = []
        async for of_tree in Bulk(context.store, context.actor, once, matched).by_tree(aimed):
            results += of_tree
            await _announce(context, of_tree)
            if context.allowance.is_half_spent:
                break
        return await self._told(matched, results)

    async def _told(self, matched: int, results: Sequence[Result]) -> BulkSuccess:
        done = sum(isinstance(each, Committed) for each in results)
        remaining = await self.matches.count(self._context.reader)
        shown = [_shown(each) for each in results]
        return BulkSuccess(matched=matched, done=done, remaining=remaining, results=shown)


async def _announce(context: Context, results: Sequence[Result]) -> None:
    """Ring once for a tree, with all that was done to it."""
    done = [each for each in results if isinstance(each, Committed)]
    if done:
        await context.announcer.announce(replace(done[-1], since=done[0].since))


def _shown(result: Result) -> Any:
    if isinstance(result, Committed):
        return moved_rows(result, is_one_of_many=True)
    assert isinstance(result, Refusal), result
    told: Refused = refused(result)
    if isinstance(told, InvalidTransition | RevisionConflict):
        told.node = replace(cast("Any", told.node), is_one_of_many=True)
    return told


def _limit(given: int | None) -> int:
    limit = DEFAULT_LIMIT if given is None else given
    if not 1 <= limit <= MAX_PAGE:
        raise BadUserInput(f"limit is {limit}; it must be from 1 to {MAX_PAGE}.")
    return limit


def _key_is_taken(conflict: IdempotencyConflict) -> ValidationFailed:
    """The contract's union has no `IdempotencyConflict`, so an issue tells of it."""
    issue = Issue("IDEMPOTENCY_CONFLICT", Severity.ERROR, conflict.message, "/idempotencyKey")
    return ValidationFailed(message=conflict.message, issues=[ValidationIssue.of(issue)])
