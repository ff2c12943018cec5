"""The schema, and the plans that answer it."""

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.utils.str_converters import to_camel_case

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

_camel_case = cache(to_camel_case)


class Names(NameConverter):
    """Strawberry's names, each made once: it asks for those of a field's arguments whenever the field is resolved."""

    def apply_naming_config(self, name: str) -> str:
        return _camel_case(name)


def build_schema() -> strawberry.Schema:
    """The executable schema."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        execution_context_class=ProjectionExecutor,
        config=StrawberryConfig(
            default_resolver=declared_or_attribute, scalar_map=SCALARS, name_converter=Names()
        ),
    )


def plans_for(schema: strawberry.Schema, kind: DatabaseKind) -> Plans:
    """An empty store of compiled selections for one kind of database."""
    return Plans(homes_of(schema), spelling_for(kind))


def spelling_for(kind: DatabaseKind) -> Spelling:
    """How one kind of database spells JSON."""
    if kind == "postgresql":
        return PostgreSQLSpelling()
    return SQLiteSpelling(knows_json_from_below=knows_json_from_below())
