"""The schema with root fields that answer what a test gives them, so that payloads need no commands."""

from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from schema.context import Context
from schema.mutation import Mutation
from schema.projection.declare import homes_of
from schema.projection.executor import Plans, ProjectionExecutor, declared_or_attribute
from schema.query import Query
from schema.results import ClaimResult, TemplateResult, TransitionResult
from schema.scalars import SCALARS
from schema.schema import build_schema, plans_for


@dataclass(frozen=True, slots=True)
class Payload:
    """What a resolver returns, and the same as the reference has it."""

    result: Any
    expected: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FabricatedContext(Context):
    """An operation's surroundings with the payloads that the root fields answer."""

    transitions: tuple[Payload, ...] = ()
    templates: tuple[Payload, ...] = ()
    claims: tuple[Payload, ...] = ()


def _result(payloads: tuple[Payload, ...], which: int) -> Any:
    return payloads[which].result if 0 <= which < len(payloads) else None


@strawberry.type(name="Query")
class FabricatedQuery(Query):
    @strawberry.field
    def transition(
        self, info: strawberry.Info[FabricatedContext, None], which: int
    ) -> TransitionResult | None:
        return _result(info.context.transitions, which)

    @strawberry.field
    def template(self, info: strawberry.Info[FabricatedContext, None], which: int) -> TemplateResult | None:
        return _result(info.context.templates, which)

    @strawberry.field
    def claim(self, info: strawberry.Info[FabricatedContext, None], which: int) -> ClaimResult | None:
        return _result(info.context.claims, which)


SCHEMA = strawberry.Schema(
    query=FabricatedQuery,
    mutation=Mutation,
    execution_context_class=ProjectionExecutor,
    # Each document is run several times, and reading it takes longer than all else.
    extensions=[ParserCache, ValidationCache],
    config=StrawberryConfig(default_resolver=declared_or_attribute, scalar_map=SCALARS),
)


class CountingPlans(Plans):
    """Plans that count how often one had to be compiled."""

    compiled = 0

    def keep(self, key: Any, plan: Any) -> None:
        self.compiled += 1
        super().keep(key, plan)


def fabricated_context(
    context: Context,
    transitions: tuple[Payload, ...],
    templates: tuple[Payload, ...],
    claims: tuple[Payload, ...],
) -> FabricatedContext:
    """The same surroundings for `SCHEMA`, with plans of its own."""
    spelling = plans_for(build_schema(), context.store.database.kind).spelling
    plans = CountingPlans(homes_of(SCHEMA), spelling)
    return FabricatedContext(
        viewer=context.viewer,
        store=context.store,
        plans=plans,
        feed=context.feed,
        lists=context.lists,
        announcer=context.announcer,
        work=context.work,
        transitions=transitions,
        templates=templates,
        claims=claims,
    )
