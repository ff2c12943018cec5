"""Manifests of documents, as the tools of clients write and read them.

GraphQL Code Generator's `persisted-documents.json` and the file of Relay's `persistConfig` are one object, texts by ids;
Apollo's is a list that names each operation and its type.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

import orjson
from graphql import OperationDefinitionNode, parse

from server.operations.documents import sha256_of

APOLLO_FORMAT: Final = "apollo-persisted-query-manifest"


class ManifestFormat(StrEnum):
    """Whose tools a manifest is for."""

    CODEGEN = "codegen"
    RELAY = "relay"
    APOLLO = "apollo"


def written_manifest(texts: Iterable[str], format_: ManifestFormat) -> str:
    """The manifest of these documents as JSON, each once; an id is the SHA-256 of the text."""
    by_id = {sha256_of(text): text for text in texts}
    if format_ is ManifestFormat.APOLLO:
        operations = [each for id_, text in by_id.items() for each in _operations(id_, text)]
        return _json({"format": APOLLO_FORMAT, "version": 1, "operations": operations})
    return _json(by_id)


def read_manifest(text: str) -> dict[str, str]:
    """The documents of a manifest of any of the formats, by their ids. Raises `ValueError`."""
    value = orjson.loads(text)
    if isinstance(value, dict) and value.get("format") == APOLLO_FORMAT:
        return _read_apollo(value)
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("this is no manifest of documents: neither texts by ids nor Apollo's")
    return value


def _read_apollo(manifest: dict[str, Any]) -> dict[str, str]:
    if manifest.get("version") != 1 or not isinstance(manifest.get("operations"), list):
        raise ValueError("of Apollo's manifests those of version 1 are read, with a list of operations")
    found: dict[str, str] = {}
    for operation in manifest["operations"]:
        match operation:
            case {"id": str(id_), "body": str(body)} if found.setdefault(id_, body) == body:
                continue
        raise ValueError("an operation of Apollo's manifest has an id of its own and a body, both strings")
    return found


def _operations(id_: str, text: str) -> Iterable[dict[str, str]]:
    for definition in parse(text).definitions:
        if isinstance(definition, OperationDefinitionNode):
            name = definition.name.value if definition.name else ""
            yield {"id": id_, "name": name, "type": definition.operation.value, "body": text}


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"
