"""Strict JSON in (`runtime.md` I5) and the parameters of a GraphQL request."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.operations.requests import MAX_JSON_VALUES, BadRequest, GraphQLRequest, decode_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


def read(text: str | bytes) -> Any:
    return decode_json(text.encode() if isinstance(text, str) else text, "The body")


@given(JSON_VALUES)
def test_i5_what_is_json_is_read_as_it_is(value: object) -> None:
    assert read(json.dumps(value)) == value


@given(st.integers())
def test_i5_an_integer_is_exact_or_refused(number: int) -> None:
    if -(2**63) <= number < 2**63:
        value = read(f'{{"a":{number}}}')["a"]
        assert (value, type(value)) == (number, int)
    else:
        with pytest.raises(BadRequest, match="/a: an integer beyond 64 bits"):
            read(f'{{"a":{number}}}')


@pytest.mark.parametrize(
    "text",
    ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "1" + "0" * 300, "-" + "9" * 30],
)
def test_i5_integers_beyond_64_bits_are_refused_not_rounded(text: str) -> None:
    with pytest.raises(BadRequest, match="/0/a: an integer beyond 64 bits"):
        read(f'[{{"a": {text}}}]')


@pytest.mark.parametrize(
    "text", ["0.1234567890123456789", "12345678901234567890.5", "1e19", '"12345678901234567890"']
)
def test_i5_long_digits_that_are_no_integer_are_read(text: str) -> None:
    assert read(f"[{text}]") == json.loads(f"[{text}]")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("NaN", "is not JSON"),
        ("[Infinity]", "is not JSON"),
        ("[-Infinity]", "is not JSON"),
        ("[1e400]", "infinity"),
        ("9" * 10_000, "infinity"),
        ('["\\ud800"]', "surrogate"),
        ('["\\udc00\\ud800"]', "surrogate"),
        ('{"\\u0000":1}', "NUL"),
        ('["a\\u0000"]', "/0: holds a NUL"),
        (b'["\xff"]', "UTF-8"),
        (b'["\xed\xa0\x80"]', "UTF-8"),
        (b"\xef\xbb\xbf1", "is not JSON"),
        ("", "is not JSON"),
        ("1 2", "is not JSON"),
        ("[1,]", "is not JSON"),
        ("[" * 65 + "]" * 65, "nested more than 64 levels deep"),
        ("[" * 900 + "9" * 30 + "]" * 900, "deep"),
        ("[" * 100_000, "depth"),
        ("[" * 100_000 + "]" * 100_000, "depth"),
    ],
)
def test_i5_what_is_not_strict_json_is_refused_with_the_reason(text: str | bytes, what: str) -> None:
    with pytest.raises(BadRequest, match=what) as refused:
        read(text)
    assert str(refused.value).startswith("The body ")


@pytest.mark.parametrize("unit", ["1,", '"a",', "{},", "[],", '{"a":1},', '"\\\\","\\"",'])
def test_more_values_than_there_may_be_are_refused(unit: str) -> None:
    enough = "[" + unit * (MAX_JSON_VALUES // 10) + "1]"
    assert len(read(enough)) == len(json.loads(enough))
    with pytest.raises(BadRequest, match="The body holds more than 200,000 JSON values"):
        read("[" + unit * MAX_JSON_VALUES + "1]")


@pytest.mark.parametrize("text", [",", "[", "{", '\\",', "\\\\,", ',\\"\\\\,'])
def test_what_stands_in_a_text_is_no_value(text: str) -> None:
    whole = f'["{text * MAX_JSON_VALUES}","{text}"]'
    assert read(whole) == json.loads(whole)


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_read_or_be_refused(body: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert names_a_document(GraphQLRequest.from_body(body))


@given(JSON_VALUES)
def test_no_value_does_anything_but_read_or_be_refused(value: object) -> None:
    with contextlib.suppress(BadRequest):
        assert names_a_document(GraphQLRequest.from_json(value))


def names_a_document(request: GraphQLRequest) -> bool:
    return request.query is not None or request.document_id is not None


def test_a_document_id_is_read_in_place_of_the_query() -> None:
    request = GraphQLRequest(None, {"x": 1}, document_id="sha256:1f")
    assert GraphQLRequest.from_body(b'{"documentId":"sha256:1f","query":null,"variables":{"x":1}}') == request
    assert GraphQLRequest.from_parameters({"documentId": "sha256:1f", "variables": '{"x":1}'}) == request
    assert request.fault is None


def test_a_query_beside_a_document_id_is_a_fault() -> None:
    request = GraphQLRequest.from_json({"query": "", "documentId": ""})
    assert request.fault == "The request has both 'query' and 'documentId': give one of them."


def test_the_four_parameters_are_read() -> None:
    body = b'{"query":"{ a }","variables":{"x":1},"operationName":"A","extensions":{"y":2},"other":[]}'
    assert GraphQLRequest.from_body(body) == GraphQLRequest("{ a }", {"x": 1}, "A", {"y": 2})


def test_parameters_that_are_null_or_left_out_are_empty() -> None:
    body = b'{"query":"{ a }","variables":null,"operationName":null,"extensions":null}'
    assert GraphQLRequest.from_body(body) == GraphQLRequest("{ a }")


def test_the_query_string_holds_json_in_variables_and_extensions() -> None:
    parameters = {"query": "{ a }", "variables": '{"x":1}', "extensions": "", "operationName": "A"}
    assert GraphQLRequest.from_parameters(parameters) == GraphQLRequest("{ a }", {"x": 1}, "A")


def test_a_nul_in_a_query_string_is_refused() -> None:
    with pytest.raises(BadRequest, match="The query string cannot be read: /query: holds a NUL"):
        GraphQLRequest.from_parameters({"query": "{ a }\0"})
