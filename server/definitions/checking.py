"""What is wrong with a definition in a file, line by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from db.runtime.validation import (
    Catalogue,
    Issue,
    KnownVersion,
    Severity,
    child_references,
    validate_definition,
)
from server.definitions.source import DefinitionSource
from server.watching.asking import Server

VALIDATE: Final = """
  query ($definition: JSONObject!) {
    validateWorkflowDefinition(definition: $definition) { code severity message path }
  }
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """The issues of a file; `has_unknown_children` where nobody was asked about the templates that it names."""

    source: DefinitionSource
    issues: Sequence[Issue]
    has_unknown_children: bool = False

    @property
    def errors(self) -> int:
        """How many forbid that it is published."""
        return sum(issue.severity is Severity.ERROR for issue in self.issues)

    def lines(self) -> Iterator[str]:
        """`FILE:LINE:COLUMN: error CODE: message`, in the order of the file."""
        placed = sorted(
            ((self.source.place(issue.path), issue) for issue in self.issues), key=lambda each: each[0]
        )
        for place, issue in placed:
            severity = issue.severity.lower()
            yield f"{self.source.name}:{place.line}:{place.column}: {severity} {issue.code}: {issue.message}"


def checked_alone(source: DefinitionSource) -> Checked:
    """By all rules but those about other templates: whatever it names is taken to be there."""
    named = child_references(source.value)
    catalogue = Catalogue(
        versions={each: KnownVersion(is_published=True, template_key="") for each in named.version_ids},
        active_versions={key: f"active version of {key}" for key in named.template_keys},
    )
    issues = validate_definition(source.value, catalogue)
    return Checked(source, issues, bool(named.version_ids or named.template_keys))


async def checked_by_server(source: DefinitionSource, server: Server) -> Checked:
    """By every rule, with the templates of a server. Raises `NotAnswered`, `NoToken`."""
    if not isinstance(source.value, dict):  # the API takes no other, and one issue says it
        return checked_alone(source)
    found = (await server.ask(VALIDATE, {"definition": source.value}))["validateWorkflowDefinition"]
    return Checked(source, [_issue(each) for each in found])


def _issue(told: Mapping[str, Any]) -> Issue:
    return Issue(told["code"], Severity(told["severity"]), told["message"], told["path"])
