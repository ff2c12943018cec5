"""Who gives a command, and what a committed one says of itself."""

from dataclasses import dataclass

from db.tables import DEFAULT_TENANT


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf: `subject` stands in the journal, `tenant` in every row."""

    tenant: str = DEFAULT_TENANT
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """A command that changed one tree, from revision `since` (excluded) to `revision` (included)."""

    root_id: str
    execution_id: str
    step_execution_id: str | None
    since: int
    revision: int


@dataclass(frozen=True, slots=True)
class TemplateChanged:
    """What a command on a template concerned; `version_id` is None where the version is no more."""

    template_id: str
    version_id: str | None
