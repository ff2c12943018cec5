"""An expression as a definition holds it. Checking its syntax: `expression_syntax.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Expression:
    """A JSONata source (`runtime.md` section 3)."""

    src: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        return cls(raw["src"])

    @classmethod
    def parse_optional(cls, raw: Mapping[str, Any] | None) -> Self | None:
        return None if raw is None else cls.parse(raw)
