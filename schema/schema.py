"""The schema, and the plans that answer it."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from db.statements import DatabaseKind
from schema.mutation import Mutation
from schema.projection.declare import homes_of
from schema.projection.executor import Plans, ProjectionExecutor, declared_or_attribute
from schema.projection.postgresql import PostgreSQLSpelling
from schema.projection.spelling import Spelling
from schema.projection.sqlite import SQLiteSpelling, knows_json_from_below
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


def build_schema() -> strawberry.Schema:
    """The executable schema."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=ProjectionExecutor,
        config=StrawberryConfig(default_resolver=declared_or_attribute, scalar_map=SCALARS),
    )


def plans_for(schema: strawberry.Schema, kind: DatabaseKind) -> Plans:
    """An empty store of compiled selections for one kind of database."""
    return Plans(homes_of(schema), spelling_for(kind))


def spelling_for(kind: DatabaseKind) -> Spelling:
    """How one kind of database spells JSON."""
    if kind == "postgresql":
        return PostgreSQLSpelling()
    return SQLiteSpelling(knows_json_from_below=knows_json_from_below())
