"""Commands that print what the program holds: `schema`, `documents`, `definition-schema`."""

import sys
from typing import Annotated

import orjson
import typer
from strawberry.printer import print_schema

from db.runtime.validation import definition_schema as written_definition_schema
from schema.schema import build_schema
from server.command_line.options import DocumentsDir, fail, settings_of
from server.operations.document_directory import known_documents
from server.operations.manifests import ManifestFormat, written_manifest


def schema() -> None:
    """Print the schema in GraphQL's schema definition language."""
    sys.stdout.write(print_schema(build_schema()) + "\n")


def documents(
    format_: Annotated[
        ManifestFormat, typer.Option("--format", help="Whose tools are to read it.")
    ] = ManifestFormat.CODEGEN,
    documents_dir: DocumentsDir = None,
) -> None:
    """Print the manifest of the documents that clients may name."""
    directory = settings_of(documents_dir=documents_dir).documents_dir
    try:
        sys.stdout.write(written_manifest(known_documents(directory).values(), format_))
    except ValueError as error:
        fail(error)


def definition_schema() -> None:
    """Print the JSON Schema of definitions, for editors."""
    sys.stdout.write(
        orjson.dumps(
            written_definition_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        ).decode()
    )
