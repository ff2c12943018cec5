"""Bounds of the runtime (`runtime.md` C4, F7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes of compact UTF-8 JSON."""

    context_bytes: int = 1 << 20
    output_bytes: int = 1 << 20
    json_depth: int = 64
    definition_bytes: int = 2 << 20
    steps_per_definition: int = 2_000
    schema_bytes: int = 64 << 10
