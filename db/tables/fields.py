"""How columns are declared, so that a table reads as a list of its columns."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Table, text
from sqlmodel import Field, SQLModel

from db.columns import Label, Timestamp, document_type, json_type, text_type


def text_column(*, null: bool = False, key: bool = False, references: str | None = None) -> Any:
    keys = (ForeignKey(references),) if references else ()
    return Field(sa_column=Column(text_type(), *keys, nullable=null, primary_key=key))


def label_column(labels: Any, *, null: bool = False) -> Any:
    return Field(sa_column=Column(Label(labels), nullable=null))


def time_column(*, null: bool = True) -> Any:
    return Field(sa_column=Column(Timestamp(), nullable=null))


def json_column(*, null: bool = True) -> Any:
    return Field(sa_column=Column(json_type(), nullable=null))


def document_column(*, null: bool = True) -> Any:
    return Field(sa_column=Column(document_type(), nullable=null))


def number_column(*, null: bool = False, default: int | None = None) -> Any:
    default_text = None if default is None else text(str(default))
    return Field(sa_column=Column(Integer(), nullable=null, server_default=default_text))


def table_of(model: type[SQLModel]) -> Table:
    """The Core table behind a model."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel makes it
    return table
