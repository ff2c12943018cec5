"""Bounds of the runtime (`runtime.md` C4, F7, X3)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpressionLimits:
    """What one evaluation may use (X3).

    `work` is counted, not timed, so that an expression is refused everywhere alike: 16 for a node of the expression each
    time it is evaluated, about 1 for an item or 64 characters that a function or an operator goes over.
    """

    work: int = 200_000
    seconds: float = 0.05
    depth: int = 500
    text_characters: int = 1 << 20
    items: int = 100_000
    result_bytes: int = 1 << 20
    json_depth: int = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes are bytes of compact UTF-8 JSON."""

    context_bytes: int = 1 << 20
    output_bytes: int = 1 << 20
    json_depth: int = 64
    definition_bytes: int = 2 << 20
    steps_per_definition: int = 2_000
    schema_bytes: int = 64 << 10
    nesting_depth: int = 32
    batch_items: int = 10_000
    executions_per_tree: int = 100_000
    executions_per_command: int = 10_000
    # Contexts of the children that one command creates, together: all are in memory at once.
    contexts_bytes_per_command: int = 64 << 20
    passes_per_command: int = 100
    expression: ExpressionLimits = ExpressionLimits()
