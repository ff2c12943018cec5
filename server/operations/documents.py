"""Documents that clients name in place of sending them (`security.md` A5): by `documentId` of a request, or as Apollo does.

https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md
"""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

PREFIX: Final = "sha256:"


class Runs(StrEnum):
    """Which documents a server runs."""

    ANY = "any"
    TRUSTED = "trusted"


class Documents(Protocol):
    """Where the text of a document is found by its id."""

    def text_of(self, document_id: str) -> str | None:
        """The document's text; None for an id that names none."""

    def admits(self, text: str) -> bool:
        """Whether a client may send this text itself."""


class NoDocuments:
    """Knows none."""

    def text_of(self, document_id: str) -> str | None:
        return None

    def admits(self, text: str) -> bool:
        return True


class StoredDocuments:
    """Documents by their ids and by the SHA-256 of their texts. Where only the `TRUSTED` run, no other text does."""

    def __init__(self, by_id: Mapping[str, str], runs: Runs = Runs.ANY) -> None:
        self._by_id = {**{sha256_of(text): text for text in by_id.values()}, **by_id}
        self._texts = frozenset(by_id.values())
        self._runs = runs

    def text_of(self, document_id: str) -> str | None:
        return self._by_id.get(document_id) or self._by_id.get(document_id.removeprefix(PREFIX))

    def admits(self, text: str) -> bool:
        """A client may send a trusted document as well as name it: it is the same one."""
        return self._runs is Runs.ANY or text in self._texts


def sha256_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
