"""TypeIDs: a type prefix and a UUIDv7, as in `exec_01m89ke0fte1m9hverf5hxdyms`. Unique, sortable by creation, readable."""

from enum import StrEnum

from typeid import TypeID
from typeid.errors import TypeIDException


class IdKind(StrEnum):
    """The prefix says what an id names."""

    EXECUTION = "exec"
    STEP_EXECUTION = "step"
    TEMPLATE = "tmpl"
    TEMPLATE_VERSION = "tver"


def new_id(kind: IdKind) -> str:
    """A fresh id of this kind."""
    return str(TypeID(prefix=kind.value))


def is_id(kind: IdKind, text: str) -> bool:
    """Whether a text is a well-formed id of this kind; says nothing of whether the object exists."""
    return kind_of_id(text) is kind


def kind_of_id(text: str) -> IdKind | None:
    """What a well-formed id may name; None for a text that is none."""
    try:
        return IdKind(TypeID.from_string(text).prefix)
    except (TypeIDException, ValueError):
        return None
