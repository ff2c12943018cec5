"""What validation answers: issues, and the report that gathers them (`runtime.md` section 2)."""

from dataclasses import dataclass, field
from enum import StrEnum

from db.runtime.json_values import Part, json_pointer
from db.runtime.limits import Limits

MAX_MESSAGE = 500
MAX_ISSUES = 2_000
"""Of each severity, as many as a definition may have steps: to tell of a hundred thousand takes seconds."""

Path = tuple[Part, ...]


class Severity(StrEnum):
    """An error forbids publishing, a warning does not."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class IssueCode(StrEnum):
    """The rules of a definition, by the names of `runtime.md` section 2."""

    GRAPH_EXACTLY_ONE_START = "GRAPH_EXACTLY_ONE_START"
    GRAPH_EXACTLY_ONE_END = "GRAPH_EXACTLY_ONE_END"
    START_STEP_NO_INCOMING = "START_STEP_NO_INCOMING"
    START_STEP_SINGLE_OUTGOING = "START_STEP_SINGLE_OUTGOING"
    END_STEP_SINGLE_INCOMING = "END_STEP_SINGLE_INCOMING"
    END_STEP_NO_OUTGOING = "END_STEP_NO_OUTGOING"
    TRANSITIONS_UNIQUE = "TRANSITIONS_UNIQUE"
    TRANSITION_ENDPOINTS_EXIST = "TRANSITION_ENDPOINTS_EXIST"
    NO_SELF_LOOPS = "NO_SELF_LOOPS"
    NO_ISOLATED_STEPS = "NO_ISOLATED_STEPS"
    EVERY_STEP_REACHABLE = "EVERY_STEP_REACHABLE"
    END_REACHABLE_FROM_EVERY_STEP = "END_REACHABLE_FROM_EVERY_STEP"
    CYCLE_NEEDS_WAITING_STEP = "CYCLE_NEEDS_WAITING_STEP"
    ONLY_SPLIT_GATEWAY_CAN_FAN_OUT = "ONLY_SPLIT_GATEWAY_CAN_FAN_OUT"
    JOIN_GATEWAY_MANY_IN_SINGLE_OUT = "JOIN_GATEWAY_MANY_IN_SINGLE_OUT"
    CONDITIONAL_SPLIT_SINGLE_DEFAULT = "CONDITIONAL_SPLIT_SINGLE_DEFAULT"
    EXCLUSIVE_SPLIT_TWO_OUTGOING = "EXCLUSIVE_SPLIT_TWO_OUTGOING"
    ONLY_EXCLUSIVE_INCLUSIVE_STEP_HAVE_CONDITION = "ONLY_EXCLUSIVE_INCLUSIVE_STEP_HAVE_CONDITION"
    CONDITION_REQUIRED = "CONDITION_REQUIRED"
    DEFAULT_ONLY_ON_SPLIT = "DEFAULT_ONLY_ON_SPLIT"
    MISSING_BATCH_ITERATOR = "MISSING_BATCH_ITERATOR"
    PARALLEL_MERGE_WITHOUT_JOIN = "PARALLEL_MERGE_WITHOUT_JOIN"
    STEP_IDS_UNIQUE = "STEP_IDS_UNIQUE"
    TRANSITION_IDS_UNIQUE = "TRANSITION_IDS_UNIQUE"
    STEP_GROUP_IDS_UNIQUE = "STEP_GROUP_IDS_UNIQUE"
    ID_INVALID = "ID_INVALID"
    NO_GROUP_FOR_SPECIAL_NODES = "NO_GROUP_FOR_SPECIAL_NODES"
    GROUP_STEP_IDS_EXISTS = "GROUP_STEP_IDS_EXISTS"
    STEP_BELONGS_TO_ONLY_ONE_GROUP = "STEP_BELONGS_TO_ONLY_ONE_GROUP"
    STEP_GROUP_CANNOT_BE_EMPTY = "STEP_GROUP_CANNOT_BE_EMPTY"
    ACTIVATION_NOT_HERE = "ACTIVATION_NOT_HERE"
    STATUS_NOT_ALLOWED = "STATUS_NOT_ALLOWED"
    RETRY_ONLY_ON_TASKS = "RETRY_ONLY_ON_TASKS"
    EXPRESSION_SYNTAX = "EXPRESSION_SYNTAX"
    SCHEMA_INVALID = "SCHEMA_INVALID"
    DURATION_INVALID = "DURATION_INVALID"
    CHILD_VERSION_EXISTS = "CHILD_VERSION_EXISTS"
    CHILD_RECURSION = "CHILD_RECURSION"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    TYPE_MISMATCH = "TYPE_MISMATCH"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong; `path` is a JSON Pointer to it (RFC 6901)."""

    code: str
    severity: Severity
    message: str
    path: str
    step_id: str | None = None
    transition_id: str | None = None


@dataclass(slots=True)
class Report:
    """The issues of one definition. Rules add to it by path; it knows whose step or transition that is.

    Of each severity it keeps those found first, for an error must not be lost among warnings.
    """

    raw: object
    limits: Limits = field(default_factory=Limits)
    _errors: list[tuple[Path, Issue]] = field(default_factory=list)
    _warnings: list[tuple[Path, Issue]] = field(default_factory=list)

    def error(self, code: IssueCode, path: Path, message: str) -> None:
        self._add(code, Severity.ERROR, path, message)

    def warning(self, code: IssueCode, path: Path, message: str) -> None:
        self._add(code, Severity.WARNING, path, message)

    def issues(self) -> list[Issue]:
        """What was found, by place in the document, then by code."""
        return [issue for _, issue in sorted(self._errors + self._warnings, key=_by_place)]

    def _add(self, code: IssueCode, severity: Severity, path: Path, message: str) -> None:
        kept = self._errors if severity is Severity.ERROR else self._warnings
        if len(kept) >= MAX_ISSUES:
            return
        issue = Issue(
            code=code.value,
            severity=severity,
            message=_writable(message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"),
            path=_writable(json_pointer(path)),
            step_id=self._owner("steps", path),
            transition_id=self._owner("stepTransitions", path),
        )
        kept.append((path, issue))

    def _owner(self, collection: str, path: Path) -> str | None:
        """The id of the step or transition that a path is in."""
        if len(path) < 2 or path[0] != collection or not isinstance(path[1], int):
            return None
        items = self.raw.get(collection) if isinstance(self.raw, dict) else None
        owner = items[path[1]] if isinstance(items, list) else None
        owner_id = owner.get("id") if isinstance(owner, dict) else None
        return _writable(owner_id) if isinstance(owner_id, str) else None


def _by_place(found: tuple[Path, Issue]) -> tuple[list[tuple[bool, int, str]], str, str]:
    path, issue = found
    place = [
        (isinstance(part, str), 0, part) if isinstance(part, str) else (False, part, "") for part in path
    ]
    return place, issue.code, issue.message


def _writable(text: str) -> str:
    """Issues tell of keys and ids that may hold what no answer can: lone surrogates and NUL."""
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\x00")
