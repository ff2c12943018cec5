"""Whatever is sent, the server answers it: never a 5xx, never an error that it did not expect (`security.md` A6)."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.frontend_documents import document, operation_names, sample_variables
from tests.servers import NO_TLS, ServerProcess

CONTENT_TYPES = [
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/json;;",
    "",
]
ACCEPTS = [
    "*/*",
    "application/json",
    "application/graphql-response+json",
    "text/event-stream",
    "text/event-stream;q=0.1, application/json",
    "text/html",
    "text/plain",
    ";",
]
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["verify", "exec_01m89ke0fte1m9hverf5hxdyms", "2026-01-01T00:00:00Z", "\0", "$", "1.0.0"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
BYTES = st.binary(max_size=8) | st.sampled_from(
    [b"{", b"}", b'"', b"\\u0000", b"\\ud800", b"$", b"...", b"1e400"]
)


@st.composite
def changed_values(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one place in it replaced, taken away or doubled."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return draw(VALUES)
    if isinstance(value, list):
        at = draw(st.integers(0, len(value) - 1))
        middle = draw(st.sampled_from(["change", "double", "drop"]))
        changed = [draw(changed_values(value[at]))] if middle == "change" else [value[at]] * 2
        return [*value[:at], *([] if middle == "drop" else changed), *value[at + 1 :]]
    key = draw(st.sampled_from(sorted(value)))
    if draw(st.integers(0, 5)) == 0:
        return {other: value[other] for other in value if other != key}
    return value | {key: draw(changed_values(value[key]))}


@st.composite
def changed_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes with a few stretches of them replaced."""
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.integers(0, 12)))
        content = content[:begin] + draw(BYTES) + content[end:]
    return content


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request that a frontend sends, changed in its variables, its document, its bytes or its headers."""
    name = draw(st.sampled_from(operation_names()))
    body: dict[str, Any] = {"query": document(name), "variables": sample_variables(name)}
    change = draw(st.sampled_from(["variables", "variables", "document", "body", "bytes", "headers"]))
    if change == "variables":
        body["variables"] = draw(changed_values(body["variables"]))
    elif change == "document":
        changed = draw(changed_bytes(body["query"].encode()))
        body["query"] = changed.decode(errors="replace")
    elif change == "body":
        body = draw(changed_values(body | {"operationName": name, "extensions": {}}))
    content = json.dumps(body, ensure_ascii=draw(st.booleans())).encode(errors="replace")
    headers = {"Content-Type": CONTENT_TYPES[0], "Accept": draw(st.sampled_from(ACCEPTS[:4]))}
    if change == "headers":
        headers = {
            "Content-Type": draw(st.sampled_from(CONTENT_TYPES)),
            "Accept": draw(st.sampled_from(ACCEPTS)),
        }
    if change == "bytes":
        content = draw(changed_bytes(content))
    return {"content": content, "headers": headers, "method": draw(st.sampled_from(["POST"] * 9 + ["PUT"]))}


@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(request=requests())
def test_no_request_is_the_servers_fault(server: ServerProcess, request: dict[str, Any]) -> None:
    with (
        httpx.Client(base_url=server.url, trust_env=False, verify=NO_TLS, timeout=60) as client,
        client.stream(url="/graphql", **request) as response,
    ):
        text = beginning(response)
    assert response.status_code < 500, text
    assert "INTERNAL_SERVER_ERROR" not in text
    assert text


def beginning(response: httpx.Response) -> str:
    """The whole answer, or an event stream to its first event or its second comment: it may never end."""
    text = ""
    for piece in response.iter_text():
        text += piece
        is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
        if is_stream and ("data: " in text or text.count(":\n\n") > 1):
            break
    return text
