"""Documents that clients may name: how files become documents, and manifests of the three formats (`security.md` A5)."""

from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from graphql import get_operation_ast, parse

from server.operations.document_directory import documents_in, known_documents
from server.operations.documents import Runs, StoredDocuments, sha256_of
from server.operations.manifests import ManifestFormat, read_manifest, written_manifest
from tests.frontend_documents import operation_names

A = "query A { ...One ...Two }\n"
WHOLE = """query A { ...One ...Two }

fragment One on Query { ...Three }

fragment Three on Query { __typename }

fragment Two on Query { ...Three }
"""
ALONE = "  query B { ...Own }\nfragment Own on Query { __typename }"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "fragments").mkdir()
    for name, text in {
        "A.graphql": A,
        "B.graphql": ALONE,
        "A.variables.json": "[]",
        "README.md": "what this is",
        "fragments/One.graphql": "fragment One on Query { ...Three }\n",
        "fragments/Two.graphql": "\nfragment Two on Query { ...Three }\n",
        "fragments/Three.graphql": "fragment Three on Query { __typename }\n",
        "fragments/Unused.graphql": "fragment Unused on Query { __typename }\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a5_a_document_is_the_operation_and_what_it_reaches_in_that_order(directory: Path) -> None:
    assert documents_in(directory) == {sha256_of(WHOLE): WHOLE, sha256_of(ALONE): ALONE}
    assert sha256_of(WHOLE) == sha256(WHOLE.encode()).hexdigest()


def test_a5_every_operation_of_frontend_queries_is_a_document() -> None:
    texts = known_documents(None).values()
    named = [operation.name.value for text in texts if (operation := get_operation_ast(parse(text))).name]
    assert sorted(named) == operation_names()
    assert [text for text in texts if text != text.strip() + "\n"] == []  # GraphiQL trims them


def test_a5_another_directory_adds_to_frontend_queries(directory: Path) -> None:
    assert known_documents(directory) == {**known_documents(None), **documents_in(directory)}


@pytest.mark.parametrize("format_", ManifestFormat)
def test_a5_a_manifest_that_is_written_is_read_again(directory: Path, format_: ManifestFormat) -> None:
    documents = documents_in(directory)
    assert read_manifest(written_manifest(documents.values(), format_)) == documents


def test_a5_the_manifests_are_those_of_the_clients_tools() -> None:
    id_ = sha256_of(WHOLE)
    for format_ in (ManifestFormat.CODEGEN, ManifestFormat.RELAY):
        assert orjson.loads(written_manifest([WHOLE, WHOLE], format_)) == {id_: WHOLE}
    assert orjson.loads(written_manifest([WHOLE], ManifestFormat.APOLLO)) == {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": id_, "name": "A", "type": "query", "body": WHOLE}],
    }


def test_a5_a_manifest_keeps_the_ids_that_its_tool_gave(tmp_path: Path) -> None:
    (tmp_path / "relay.json").write_text('{"3be4abb81fa595e25eb725b2c6a87508": "{ __typename }"}')
    stored = StoredDocuments(documents_in(tmp_path))
    for id_ in ("3be4abb81fa595e25eb725b2c6a87508", sha256_of("{ __typename }")):
        assert stored.text_of(id_) == stored.text_of(f"sha256:{id_}") == "{ __typename }"
    assert stored.text_of(sha256_of("{ __typename }").upper()) is None


def test_a5_only_the_exact_text_of_a_trusted_document_is_admitted() -> None:
    trusted, any_ = (StoredDocuments({"1": ALONE}, runs) for runs in (Runs.TRUSTED, Runs.ANY))
    assert trusted.admits(ALONE)
    assert not trusted.admits(ALONE + " ")
    assert not trusted.admits("")
    assert any_.admits(ALONE + " ")


BAD = {
    "X.graphql": [
        ("query {", "Syntax Error"),
        ("{ ...Nowhere }", "the fragment Nowhere is neither in it nor in"),
    ],
    "x.json": [
        ("{", "unexpected end"),
        ("[]", "no manifest of documents"),
        ('{"a": 1}', "no manifest of documents"),
        ('{"a": "query {"}', "Syntax Error"),
        ('{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}', "version 1"),
        ('{"format": "apollo-persisted-query-manifest", "version": 1}', "a list of operations"),
        (
            '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": 1}]}',
            "both strings",
        ),
    ],
}


@pytest.mark.parametrize(
    ("name", "text", "fragment"), [(name, *case) for name, cases in BAD.items() for case in cases]
)
def test_a5_a_file_that_is_no_document_is_named(tmp_path: Path, name: str, text: str, fragment: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=fragment) as refused:
        documents_in(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / name}: ")


def test_a5_an_id_of_two_documents_is_refused(tmp_path: Path) -> None:
    for name, text in (("1.json", '{"id": "{ a }"}'), ("2.json", '{"id": "{ b }"}')):
        (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"2\.json: there is another document with the id 'id'"):
        documents_in(tmp_path)


def test_a5_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no directory"):
        documents_in(tmp_path / "none")
