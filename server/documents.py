"""Documents that clients name in place of sending them: `documentId` of a request (`security.md` A5).

https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md
"""

from typing import Protocol


class Documents(Protocol):
    """Where the text of a document is found by its id."""

    def text_of(self, document_id: str) -> str | None:
        """The document's text; None for an id that names none."""


class NoDocuments:
    """Knows none."""

    def text_of(self, document_id: str) -> str | None:
        return None
