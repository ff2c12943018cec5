"""What a `sys.sub_workflow` step adds to a step: which child, how many, given what (`runtime.md` 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from db.runtime.expression import Expression


class SubWorkflowMode(StrEnum):
    """One child, or one per item."""

    SINGLE = "SINGLE"
    BATCH = "BATCH"


class OnParentClose(StrEnum):
    """What becomes of running children when the parent is cancelled (C3)."""

    CANCEL = "CANCEL"
    ABANDON = "ABANDON"


class MappingMode(StrEnum):
    """Whether a mapping replaces what is at its target or adds to a list there."""

    SET = "set"
    APPEND = "append"


class FieldSource(StrEnum):
    """What a field is read from."""

    CONTEXT = "CONTEXT"
    STEP = "STEP"
    EACH = "EACH"


@dataclass(frozen=True, slots=True)
class ConstantValue:
    """Always this value; a null sets null (X1)."""

    value: Any


@dataclass(frozen=True, slots=True)
class FieldValue:
    """What stands at `path` in the context, in a step's output or in the item."""

    source: FieldSource
    path: str
    step_id: str | None = None


@dataclass(frozen=True, slots=True)
class ExpressionValue:
    """What an expression yields."""

    expression: Expression


ValueProvider = ConstantValue | FieldValue | ExpressionValue


def parse_value(raw: Mapping[str, Any]) -> ValueProvider:
    """The value provider that a raw one's `type` says."""
    match raw["type"]:
        case "const":
            return ConstantValue(raw["value"])
        case "field":
            ref = raw["ref"]
            return FieldValue(FieldSource(ref["source"]), ref["path"], ref.get("stepId"))
        case _:
            return ExpressionValue(Expression.parse(raw["expr"]))


@dataclass(frozen=True, slots=True)
class InputMapping:
    """Puts one value into the child's context."""

    target_path: str
    value: ValueProvider
    mode: MappingMode = MappingMode.SET
    id: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        mode = MappingMode(raw.get("mode", MappingMode.SET))
        return cls(raw["targetPath"], parse_value(raw["value"]), mode, raw.get("id"))


@dataclass(frozen=True, slots=True)
class Iterable:
    """Where a batch's items come from: an expression, or a step's output with an optional selection of it."""

    expression: Expression | None = None
    step_id: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        if raw["type"] == "STEP":
            return cls(Expression.parse_optional(raw.get("select")), raw["stepId"])
        return cls(Expression.parse(raw["expr"]))


@dataclass(frozen=True, slots=True)
class SubWorkflow:
    """Exactly one of `template_version_id` (pinned) and `template_key` (its active version) is set."""

    mode: SubWorkflowMode
    template_version_id: str | None = None
    template_key: str | None = None
    input_mapping: tuple[InputMapping, ...] = ()
    child_name: Expression | None = None
    iterable: Iterable | None = None
    on_parent_close: OnParentClose = OnParentClose.CANCEL

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """From the raw step."""
        iterable = raw.get("iterable")
        return cls(
            mode=SubWorkflowMode(raw["mode"]),
            template_version_id=raw.get("childWorkflowTemplateVersionId"),
            template_key=raw.get("childWorkflowTemplateKey"),
            input_mapping=tuple(InputMapping.parse(each) for each in raw.get("inputMapping", ())),
            child_name=Expression.parse_optional(raw.get("childWorkflowName")),
            iterable=None if iterable is None else Iterable.parse(iterable),
            on_parent_close=OnParentClose(raw.get("onParentClose", OnParentClose.CANCEL)),
        )
