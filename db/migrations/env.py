"""Alembic's entry: runs the migrations on the connection that `db/migrate.py` hands in."""

from alembic import context
from sqlmodel import SQLModel

from db import tables

assert tables.Journal.metadata is SQLModel.metadata  # the tables are known

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
