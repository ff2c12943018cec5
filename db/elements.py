"""A list as one parameter, so that a statement's text does not depend on how many there are."""

from typing import Any

from sqlalchemy import JSON, BindParameter, ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class OneOf(ColumnElement[bool]):
    """Whether a column holds one of the texts of a list that is bound under `name`."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column = column
        self.texts: BindParameter[Any] = bindparam(name, type_=JSON())


@compiles(OneOf, "sqlite")
def _sqlite(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = compiler.process(element.column, **options), compiler.process(element.texts, **options)
    return f"{column} IN (SELECT value FROM json_each({texts}))"


@compiles(OneOf, "postgresql")
def _postgresql(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = compiler.process(element.column, **options), compiler.process(element.texts, **options)
    return f"{column} IN (SELECT json_array_elements_text({texts}))"
