"""Documents that were found valid, kept so that each is parsed, measured and validated once."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from graphql import DocumentNode, get_operation_ast

from server.operations.limits import OperationMeasure


@dataclass(frozen=True, slots=True)
class ValidDocument:
    """A document that is valid and within every limit that does not depend on variables."""

    node: DocumentNode
    operations: Sequence[OperationMeasure]

    def operation(self, name: str | None) -> OperationMeasure | None:
        """The operation of this name; without a name the only one."""
        definition = get_operation_ast(self.node, name)
        return next((each for each in self.operations if each.definition is definition), None)


class DocumentCache:
    """Valid documents by their text, the least recently used go first.

    Bounded by the characters kept: a parsed document takes some hundred times the memory of its text.
    """

    def __init__(self, max_characters: int = 256 * 1024, max_document: int = 16 * 1024) -> None:
        self._documents: OrderedDict[str, ValidDocument] = OrderedDict()
        self._room = max_characters
        self._max_document = max_document

    def get(self, text: str) -> ValidDocument | None:
        document = self._documents.get(text)
        if document is not None:
            self._documents.move_to_end(text)
        return document

    def keep(self, text: str, document: ValidDocument) -> None:
        if len(text) > self._max_document or text in self._documents:
            return
        self._documents[text] = document
        self._room -= len(text)
        while self._room < 0:
            dropped, _ = self._documents.popitem(last=False)
            self._room += len(dropped)
