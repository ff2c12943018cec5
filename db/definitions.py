"""Published definitions in memory: they never change (D3), so each is read and parsed once per process."""

from collections import OrderedDict
from collections.abc import Generator
from typing import Any

from sqlalchemy import bindparam, select

from db.requests import Fetch, Request
from db.runtime.definition import WorkflowDefinition
from db.runtime.errors import NotFound
from db.statements import Statement
from db.tables import WorkflowTemplateVersion, table_of

versions = table_of(WorkflowTemplateVersion)
LOAD = Statement(select(versions.c.definition).where(versions.c.id == bindparam("id")))


class Definitions:
    """The definitions used last, by version id; bounded."""

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, WorkflowDefinition] = OrderedDict()

    def load(self, version_id: str) -> Generator[Request, Any, WorkflowDefinition]:
        """The definition of a published version, from memory or read by the script that asks; `NotFound`."""
        kept = self._kept.get(version_id)
        if kept is not None:
            self._kept.move_to_end(version_id)
            return kept
        found = yield Fetch(LOAD, {"id": version_id})
        if not found:
            # Deleted since the asking script read of it: it had no executions, so this one comes too late.
            raise NotFound(version_id)
        definition = WorkflowDefinition.parse(found[0][0])
        self._kept[version_id] = definition
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return definition
