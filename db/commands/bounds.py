"""Bounds on JSON that comes in (C4, I5)."""

from typing import Any

from db.runtime.errors import LimitExceeded, ValidationFailed
from db.runtime.json_values import InvalidJSON, check_json, json_size
from db.runtime.validation import Issue, Severity


def require_within(name: str, value: Any, max_bytes: int, max_depth: int) -> None:
    """Refuse JSON that is too large or too deep (`LimitExceeded`), or that not both databases can hold."""
    try:
        check_json(value, max_depth=max_depth)
    except InvalidJSON as error:
        if error.is_limit:
            raise LimitExceeded(f"depth of {name}{error.pointer}", max_depth + 1, max_depth) from error
        issue = Issue("JSON_INVALID", Severity.ERROR, error.message, f"/{name}{error.pointer}")
        raise ValidationFailed(name, [issue]) from error
    size = json_size(value)
    if size > max_bytes:
        raise LimitExceeded(f"bytes of {name}", size, max_bytes)


def require_text(name: str, value: str, shortest: int, longest: int) -> None:
    """Refuse a text that is too short or too long, in characters."""
    if not shortest <= len(value.strip()) <= len(value) <= longest:
        message = (
            f"{name} has {len(value)} characters; {shortest} to {longest} that are not all blank are allowed."
        )
        raise ValidationFailed(name, [Issue("TEXT_LENGTH", Severity.ERROR, message, f"/{name}")])
