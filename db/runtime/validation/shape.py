"""Checks of shape, built up like the type they describe: records, lists, labels. What they check: `keys.py`.

A check takes the report, the path and the value there, and reports what is wrong. It looks no deeper than its
own description, so no value makes it recurse without end. What JSON Schema can say of it, it says for editors.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeGuard

from db.runtime.validation.issues import MAX_ISSUES, IssueCode, Path, Report

JSONSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """Reports what is wrong with a value; nothing that it accepts does `schema` refuse."""

    report: Callable[[Report, Path, object], None]
    schema: JSONSchema

    def __call__(self, report: Report, path: Path, value: object) -> None:
        """Check the value at a path."""
        self.report(report, path, value)


def check(**schema: Any) -> Callable[[Callable[[Report, Path, object], None]], Check]:
    """Makes a check of a function; `schema` is what JSON Schema can say of it."""
    return lambda function: Check(function, schema)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a record, and what may stand there."""

    check: Check
    required: bool = False


Keys = Mapping[str, Key]


def required(check: Check) -> Key:
    """A key that must be there."""
    return Key(check, required=True)


def optional(check: Check) -> Key:
    """A key that may be left out. Null is a value, and not the same."""
    return Key(check)


def mismatch(report: Report, path: Path, wanted: str, value: object) -> None:
    """Report that something else stands where `wanted` should."""
    report.error(IssueCode.TYPE_MISMATCH, path, f"Expected {wanted}, got {_shown(value)}.")


@check()
def anything(report: Report, path: Path, value: object) -> None:
    """Free-form."""


@check(type="string", minLength=1)
def text(report: Report, path: Path, value: object) -> None:
    """A string that is not empty."""
    if not isinstance(value, str) or not value:
        mismatch(report, path, "a text that is not empty", value)


@check(type="string")
def any_text(report: Report, path: Path, value: object) -> None:
    """A string."""
    if not isinstance(value, str):
        mismatch(report, path, "a string", value)


@check(type="boolean")
def boolean(report: Report, path: Path, value: object) -> None:
    """True or false."""
    if not isinstance(value, bool):
        mismatch(report, path, "true or false", value)


@check(type="number")
def number(report: Report, path: Path, value: object) -> None:
    """A finite number."""
    if not _is_number(value):
        mismatch(report, path, "a number", value)


@check(type="number", minimum=1)
def at_least_one(report: Report, path: Path, value: object) -> None:
    """A finite number ≥ 1."""
    if not (_is_number(value) and value >= 1):
        mismatch(report, path, "a number that is at least 1", value)


@check(type="integer", minimum=1, exclusiveMaximum=2**31)
def positive_integer(report: Report, path: Path, value: object) -> None:
    """A whole number from 1 to 2³¹ − 1, what a column of the databases holds."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        mismatch(report, path, "a whole number that is at least 1", value)


def label(*labels: str) -> Check:
    """One of these strings."""
    wanted = f"one of {', '.join(labels)}" if len(labels) > 1 else repr(labels[0])

    @check(enum=[str(each) for each in labels])
    def one_of(report: Report, path: Path, value: object) -> None:
        if not isinstance(value, str) or value not in labels:
            mismatch(report, path, wanted, value)

    return one_of


def items(check_item: Check) -> Check:
    """A list of such items."""

    @check(type="array", items=check_item.schema)
    def each(report: Report, path: Path, value: object) -> None:
        if not isinstance(value, list):
            mismatch(report, path, "a list", value)
            return
        for index, item in enumerate(value):
            check_item(report, (*path, index), item)

    return each


def record(keys: Keys) -> Check:
    """An object with these keys; `legacy*` keys are kept as they are."""

    @check(**record_schema(keys))
    def members(report: Report, path: Path, value: object) -> None:
        check_record(report, path, value, keys)

    return members


def variants(tag: str, records: Mapping[str, Keys]) -> Check:
    """An object whose keys depend on what stands at `tag`."""
    tagged = {name: {tag: required(label(*records)), **keys} for name, keys in records.items()}
    all_keys = {key: optional(anything) for keys in records.values() for key in keys}
    unknown = {**all_keys, tag: required(label(*records))}

    @check(
        type="object",
        properties={tag: {"enum": list(tagged)}},
        required=[tag],
        oneOf=[
            record_schema({**keys, tag: required(check(const=name)(anything.report))})
            for name, keys in tagged.items()
        ],
    )
    def variant(report: Report, path: Path, value: object) -> None:
        name = value.get(tag) if isinstance(value, dict) else None
        check_record(report, path, value, tagged.get(name, unknown) if isinstance(name, str) else unknown)

    return variant


def record_schema(keys: Keys) -> JSONSchema:
    """The JSON Schema of an object with these keys."""
    return {
        "type": "object",
        "properties": {name: key.check.schema for name, key in keys.items()},
        "required": [name for name, key in keys.items() if key.required],
        "patternProperties": {"^legacy": {}},
        "additionalProperties": False,
    }


def check_record(report: Report, path: Path, value: object, keys: Keys) -> None:
    """Report unknown and missing keys of an object, and check what stands at the known ones."""
    if not isinstance(value, dict):
        mismatch(report, path, "an object", value)
        return
    for name, key in keys.items():
        if name in value:
            key.check(report, (*path, name), value[name])
        elif key.required:
            report.error(IssueCode.TYPE_MISMATCH, path, f"The key {name!r} is missing.")
    unknown = (str(name) for name in value if name not in keys and not str(name).startswith("legacy"))
    for name in islice(unknown, MAX_ISSUES):  # of more nobody is told
        message = f"Unknown key {name[:100]!r}; known here: {', '.join(keys)}."
        report.error(IssueCode.UNKNOWN_KEY, (*path, name), message)


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value as JSON calls it; strings and numbers by themselves."""
    if isinstance(value, str):
        return repr(value[:100])
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, int | float):
        return repr(value) if abs(value) < 2**64 else "a number beyond 64 bits"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f"a Python {type(value).__name__}"
