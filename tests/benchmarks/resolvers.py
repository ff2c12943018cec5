"""The baseline of reads: an idiomatic Strawberry application over the same rows.

SQLModel rows from async sessions, DataLoaders for what hangs below, a Python object per node. It answers the documents
of `test_reads.py` with the same JSON as the projection.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, NewType, Self

import strawberry
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from db import tables
from db.runtime.moments import timestamp_text
from schema.enums import ExecutionStatus, StepStatus, StepType

Sessions = async_sessionmaker[AsyncSession]
Moment = NewType("Moment", datetime)
MOMENT = strawberry.scalar(name="DateTime", serialize=timestamp_text, parse_value=datetime.fromisoformat)


class Loaders:
    """One request's DataLoaders."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.steps = DataLoader(load_fn=self._load_steps)
        self.children = DataLoader(load_fn=self._load_children)

    async def _load_steps(self, execution_ids: list[str]) -> list[list[tables.StepExecution]]:
        found = (
            select(tables.StepExecution)
            .where(col(tables.StepExecution.execution_id).in_(execution_ids), tables.StepExecution.is_current)
            .order_by(col(tables.StepExecution.position))
        )
        async with self.sessions() as session:
            rows = (await session.exec(found)).all()
        return _by_owner(execution_ids, [(row.execution_id, row) for row in rows])

    async def _load_children(self, parent_ids: list[str]) -> list[list[tables.WorkflowExecution]]:
        found = (
            select(tables.WorkflowExecution)
            .where(col(tables.WorkflowExecution.parent_id).in_(parent_ids))
            .order_by(col(tables.WorkflowExecution.child_index), col(tables.WorkflowExecution.id))
        )
        async with self.sessions() as session:
            rows = (await session.exec(found)).all()
        return _by_owner(parent_ids, [(row.parent_id, row) for row in rows])


def _by_owner(owners: Sequence[str], rows: Sequence[tuple[str | None, Any]]) -> list[list[Any]]:
    of_owner: dict[str | None, list[Any]] = defaultdict(list)
    for owner, row in rows:
        of_owner[owner].append(row)
    return [of_owner[owner] for owner in owners]


def _moment(value: Any) -> Any:
    """A column's moment, which SQLite holds as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Info = strawberry.Info[Loaders, None]


@strawberry.type
class WorkflowStepExecution:
    id: strawberry.ID
    step_id: str
    type: StepType
    name: str
    status: StepStatus
    attempt: int
    created_at: Moment
    started_at: Moment | None
    completed_at: Moment | None
    output_data: JSON | None

    @classmethod
    def from_row(cls, row: tables.StepExecution) -> Self:
        return cls(
            id=strawberry.ID(row.id),
            step_id=row.step_id,
            type=StepType(row.type),
            name=row.name,
            status=StepStatus(row.status),
            attempt=row.attempt,
            created_at=_moment(row.created_at),
            started_at=_moment(row.started_at),
            completed_at=_moment(row.completed_at),
            output_data=JSON(row.output_data) if row.output_data is not None else None,
        )


@strawberry.type
class WorkflowExecutionConnection:
    nodes: list[Annotated["WorkflowExecution", strawberry.lazy("tests.benchmarks.resolvers")]]


@strawberry.type
class WorkflowExecution:
    id: strawberry.ID
    name: str
    correlation_id: str
    runtime_status: ExecutionStatus
    created_at: Moment
    workflow_template_version_id: strawberry.ID
    started_at: Moment | None
    completed_at: Moment | None
    last_activity_at: Moment | None
    revision: int
    context: JSON

    @strawberry.field
    async def steps(self, info: Info) -> list[WorkflowStepExecution]:
        rows = await info.context.steps.load(self.id)
        return [WorkflowStepExecution.from_row(row) for row in rows]

    @strawberry.field
    async def child_workflow_executions(self, info: Info, first: int = 50) -> WorkflowExecutionConnection:
        rows = await info.context.children.load(self.id)
        return WorkflowExecutionConnection(nodes=[WorkflowExecution.from_row(row) for row in rows[:first]])

    @classmethod
    def from_row(cls, row: tables.WorkflowExecution) -> Self:
        return cls(
            id=strawberry.ID(row.id),
            name=row.name,
            correlation_id=row.correlation_id,
            workflow_template_version_id=strawberry.ID(row.version_id),
            runtime_status=ExecutionStatus(row.runtime_status),
            created_at=_moment(row.created_at),
            started_at=_moment(row.started_at),
            completed_at=_moment(row.completed_at),
            last_activity_at=_moment(row.last_activity_at),
            revision=row.revision,
            context=JSON(row.context),
        )


@strawberry.type
class Query:
    @strawberry.field
    async def workflow_execution(
        self, info: Info, id_: Annotated[strawberry.ID, strawberry.argument(name="id")]
    ) -> WorkflowExecution | None:
        async with info.context.sessions() as session:
            row = await session.get(tables.WorkflowExecution, id_)
        return WorkflowExecution.from_row(row) if row else None

    @strawberry.field
    async def workflow_executions(self, info: Info, first: int = 50) -> WorkflowExecutionConnection:
        newest = (
            select(tables.WorkflowExecution)
            .where(tables.WorkflowExecution.tenant == tables.DEFAULT_TENANT)
            .order_by(
                col(tables.WorkflowExecution.created_at).desc(), col(tables.WorkflowExecution.id).desc()
            )
            .limit(first)
        )
        async with info.context.sessions() as session:
            rows = (await session.exec(newest)).all()
        return WorkflowExecutionConnection(nodes=[WorkflowExecution.from_row(row) for row in rows])


class Application(GraphQL[Loaders, None]):
    """Strawberry's own ASGI application."""

    def __init__(self, schema: strawberry.Schema, sessions: Sessions) -> None:
        super().__init__(schema)
        self._sessions = sessions

    async def get_context(self, request: Any, response: Any) -> Loaders:
        return Loaders(self._sessions)


@asynccontextmanager
async def application(url: str, *, cached: bool = False) -> AsyncIterator[Application]:
    """The application on a database; `cached` keeps parsed and validated documents, which Strawberry does not by itself."""
    schema = strawberry.Schema(
        query=Query,
        extensions=[ParserCache, ValidationCache] if cached else [],
        config=StrawberryConfig(scalar_map={Moment: MOMENT}),
    )
    engine = create_async_engine(url)
    try:
        yield Application(schema, async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False))
    finally:
        await engine.dispose()
