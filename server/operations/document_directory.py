"""A directory of documents: files of operations with their fragments, as `frontend_queries/`, and manifests.

A document is sent as GraphiQL's ready operations are: the operation, then every fragment of `fragments/` that it reaches,
in the order in which it reaches them, a blank line between two and a line break at the end. An operation that needs none
is sent as its file stands.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Visitor,
    parse,
    visit,
)

from server.operations.documents import sha256_of
from server.operations.manifests import read_manifest

FRONTEND_QUERIES: Final = Path(__file__).parents[2] / "frontend_queries"
SAMPLES: Final = ".variables.json"


def documents_in(directory: Path) -> dict[str, str]:
    """The documents of a directory by their ids: the SHA-256 of the text, or what a manifest says.

    Raises `ValueError`, which names the file, for one that is no document, and for an id of two documents.
    """
    if not directory.is_dir():
        raise ValueError(f"There is no directory {directory} to read documents from.")
    found: dict[str, str] = {}
    for path in sorted(directory.iterdir()):
        for id_, text in _documents_of(path).items():
            if found.setdefault(id_, text) != text:
                raise ValueError(f"{path}: there is another document with the id {id_[:100]!r}.")
    return found


def known_documents(directory: Path | None) -> dict[str, str]:
    """The documents of `frontend_queries/` and of another directory. Raises as `documents_in` does."""
    own = documents_in(FRONTEND_QUERIES) if FRONTEND_QUERIES.is_dir() else {}
    return own if directory is None else documents_in(directory) | own


def _documents_of(path: Path) -> dict[str, str]:
    """The documents of one file by their ids; none of a file that is something else."""
    is_manifest = path.suffix == ".json" and not path.name.endswith(SAMPLES)
    if path.suffix != ".graphql" and not is_manifest:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
        if is_manifest:
            documents = read_manifest(text)
        else:
            whole = _with_fragments(text, path.parent / "fragments")
            documents = {sha256_of(whole): whole}
        for each in documents.values():
            parse(each)
    except (OSError, ValueError, GraphQLError) as error:
        raise ValueError(f"{path}: {error}") from None
    return documents


def _with_fragments(text: str, directory: Path) -> str:
    texts: dict[str, str] = {}
    _reach(parse(text), directory, texts)
    if not texts:
        return text
    return "\n\n".join(each.strip() for each in (text, *texts.values())) + "\n"


def _reach(document: DocumentNode, directory: Path, texts: dict[str, str]) -> None:
    """Add the text of every fragment that a document reaches and does not hold itself, each once."""
    own = {each.name.value for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    for name in _spreads(document):
        if name not in own and name not in texts:
            path = directory / f"{name}.graphql"
            if not path.is_file():
                raise ValueError(f"the fragment {name} is neither in it nor in {path}")
            texts[name] = path.read_text(encoding="utf-8")
            _reach(parse(texts[name]), directory, texts)


def _spreads(document: DocumentNode) -> Iterable[str]:
    """The names of the fragments that a document spreads, in its order."""
    names: list[str] = []

    class Spreads(Visitor):
        def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
            names.append(node.name.value)

    visit(document, Spreads())
    return names
