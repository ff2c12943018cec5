"""Bodies and headers of requests that must not run: the whole request, the status, the code, and what is wrong."""

import gzip
import json
import zlib
from typing import Any

Refused = tuple[bytes, int, str, str]

GRAPHQL_JSON = "application/graphql-response+json"
QUERY = b'{"query":"{ __typename }"}'
ZEROS = b" " * (1 << 20)


def request(
    content: bytes = QUERY, *, method: str = "POST", target: str = "/graphql", **headers: str | None
) -> bytes:
    """A request to /graphql; a header that is None is left out."""
    usual: dict[str, str | None] = {
        "Host": "localhost",
        "Accept": GRAPHQL_JSON,
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
    }
    given = usual | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + content


def variables(text: bytes) -> bytes:
    """A request with this JSON text as a variable."""
    return request(b'{"query":"{ __typename }","variables":{"a":' + text + b"}}")


def body(**parameters: Any) -> bytes:
    return request(json.dumps({"query": "{ __typename }", **parameters}).encode())


def chunks(*pieces: bytes, end: bytes = b"0\r\n\r\n", **headers: str) -> bytes:
    """A request whose body comes in chunks that are written as they are given."""
    return request(b"".join(pieces) + end, Content_Length=None, Transfer_Encoding="chunked", **headers)


def upload(content_type: str) -> bytes:
    """A file by the rules of graphql-multipart-request-spec."""
    part = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    content = part % (b"operations", QUERY) + part % (b"map", b"{}") + part % (b"0", b"data") + b"--x--\r\n"
    return request(content, Content_Type=content_type)


JSON: dict[str, Refused] = {
    "Infinity": (variables(b"Infinity"), 400, "BAD_REQUEST", "expected a JSON value"),
    "-Infinity": (variables(b"-Infinity"), 400, "BAD_REQUEST", "not JSON"),
    "-NaN": (variables(b"-NaN"), 400, "BAD_REQUEST", "not JSON"),
    "undefined": (variables(b"undefined"), 400, "BAD_REQUEST", "expected a JSON value"),
    "a plus sign": (variables(b"+1"), 400, "BAD_REQUEST", "not JSON"),
    "a number that begins with 0": (variables(b"007"), 400, "BAD_REQUEST", "not JSON"),
    "a number that begins with a dot": (variables(b".5"), 400, "BAD_REQUEST", "not JSON"),
    "a hexadecimal number": (variables(b"0x1F"), 400, "BAD_REQUEST", "not JSON"),
    "an exponent of 400": (variables(b"1e400"), 400, "BAD_REQUEST", "infinity"),
    "an exponent of -400 million": (variables(b"1e-400000000x"), 400, "BAD_REQUEST", "not JSON"),
    "1,900,000 digits": (variables(b"9" * 1_900_000), 400, "BAD_REQUEST", "infinity"),
    "64 bits without a sign": (
        variables(b"18446744073709551615"),
        400,
        "BAD_REQUEST",
        "/variables/a: an integer beyond 64 bits",
    ),
    "the least integer less 1": (
        variables(b"-9223372036854775809"),
        400,
        "BAD_REQUEST",
        "/variables/a: an integer beyond 64 bits",
    ),
    "single quotes": (request(b"{'query':'{ __typename }'}"), 400, "BAD_REQUEST", "not JSON"),
    "a comment": (request(b'{"query":"{ __typename }"/* x */}'), 400, "BAD_REQUEST", "not JSON"),
    "a comma too many": (request(b'{"query":"{ __typename }",}'), 400, "BAD_REQUEST", "not JSON"),
    "a comma too few": (
        request(b'{"query":"{ __typename }" "variables":{}}'),
        400,
        "BAD_REQUEST",
        "not JSON",
    ),
    "keys without quotes": (request(b'{query:"{ __typename }"}'), 400, "BAD_REQUEST", "not JSON"),
    "a line break in a string": (request(b'{"query":"{ __type\nname }"}'), 400, "BAD_REQUEST", "not JSON"),
    "a NUL in a string": (request(b'{"query":"{ __type\x00name }"}'), 400, "BAD_REQUEST", "not JSON"),
    "NUL after the end": (request(QUERY + b"\x00"), 400, "BAD_REQUEST", "not JSON"),
    "two values": (request(QUERY + QUERY), 400, "BAD_REQUEST", "not JSON"),
    "lines of JSON": (request(QUERY + b"\n" + QUERY), 400, "BAD_REQUEST", "not JSON"),
    "UTF-16 with its mark": (request(QUERY.decode().encode("utf-16")), 400, "BAD_REQUEST", "not valid UTF-8"),
    "UTF-32": (request(QUERY.decode().encode("utf-32-le")), 400, "BAD_REQUEST", "not JSON"),
    "UTF-7": (request(b"+AHsAIg-query"), 400, "BAD_REQUEST", "not JSON"),
    "an overlong encoding": (request(b'{"query":"\xc0\xaf"}'), 400, "BAD_REQUEST", "not valid UTF-8"),
    "a surrogate in UTF-8": (request(b'{"query":"\xed\xa0\x80"}'), 400, "BAD_REQUEST", "not valid UTF-8"),
    "a code point beyond Unicode": (
        request(b'{"query":"\xf4\x90\x80\x80"}'),
        400,
        "BAD_REQUEST",
        "not valid UTF-8",
    ),
    "half a character": (request(b'{"query":"\xe2\x82"}'), 400, "BAD_REQUEST", "not valid UTF-8"),
    "a low surrogate alone": (variables(b'"\\ude00"'), 400, "BAD_REQUEST", "surrogate"),
    "surrogates the wrong way round": (variables(b'"\\ude00\\ud83d"'), 400, "BAD_REQUEST", "surrogate"),
    "a surrogate in a key": (variables(b'{"\\ud800":1}'), 400, "BAD_REQUEST", "surrogate"),
    "half an escape": (variables(b'"\\u00"'), 400, "BAD_REQUEST", "not JSON"),
    "an escape that there is none of": (variables(b'"\\x41"'), 400, "BAD_REQUEST", "not JSON"),
    "65 levels": (variables(b"[" * 63 + b"]" * 63), 400, "BAD_REQUEST", "nested more than 64 levels deep"),
    "65 levels of objects": (
        variables(b'{"a":' * 63 + b"1" + b"}" * 63),
        400,
        "BAD_REQUEST",
        "nested more than 64 levels deep",
    ),
    "a million brackets": (variables(b"[" * 1_000_000), 400, "BAD_REQUEST", "more than 200,000 JSON values"),
    "a query that is there twice, the last time null": (
        request(b'{"query":"{ __typename }","query":null}'),
        400,
        "BAD_REQUEST",
        "'query' is missing",
    ),
    "a query in upper case": (
        request(b'{"QUERY":"{ __typename }"}'),
        400,
        "BAD_REQUEST",
        "'query' is missing",
    ),
    "a documentId that is a number": (
        body(documentId=1),
        400,
        "BAD_REQUEST",
        "'documentId' must be a string",
    ),
    "a documentId beside a query": (
        body(documentId="x"),
        400,
        "BAD_REQUEST",
        "both 'query' and 'documentId'",
    ),
    "an unknown documentId": (
        request(b'{"documentId":"sha256:00"}'),
        400,
        "PERSISTED_DOCUMENT_NOT_FOUND",
        "no document with the id 'sha256:00'",
    ),
    "a documentId of 1,000,000 letters": (
        request(b'{"documentId":"' + b"x" * 1_000_000 + b'"}'),
        400,
        "PERSISTED_DOCUMENT_NOT_FOUND",
        "no document with the id",
    ),
    "a persistedQuery that is a text": (
        body(extensions={"persistedQuery": "x"}),
        400,
        "BAD_REQUEST",
        "'extensions.persistedQuery' must be an object",
    ),
    "a persistedQuery of another version": (
        body(extensions={"persistedQuery": {"version": 2, "sha256Hash": "0"}}),
        400,
        "BAD_REQUEST",
        "'version' 1",
    ),
    "the hash of another text": (
        body(extensions={"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}),
        400,
        "BAD_REQUEST",
        "is not the SHA-256 of 'query'",
    ),
    "an operationName of 1,000,000 letters": (
        request(b'{"query":"query A { __typename }","operationName":"' + b"x" * 1_000_000 + b'"}'),
        400,
        "OPERATION_RESOLUTION_FAILURE",
        "no operation named 'xxx",
    ),
}

ENCODINGS: dict[str, Refused] = {
    "gzip": (
        request(gzip.compress(QUERY), Content_Encoding="gzip"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not encoded as gzip",
    ),
    "a bomb of gzip": (
        request(gzip.compress(ZEROS * 100), Content_Encoding="gzip"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not encoded as gzip",
    ),
    "deflate": (
        request(zlib.compress(QUERY), Content_Encoding="deflate"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not encoded as deflate",
    ),
    "brotli, only said": (request(Content_Encoding="br"), 415, "UNSUPPORTED_MEDIA_TYPE", "not encoded as br"),
    "gzip twice": (
        request(Content_Encoding="gzip, gzip"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not encoded as gzip, gzip",
    ),
    "gzip that is not said": (request(gzip.compress(QUERY)), 400, "BAD_REQUEST", "not valid UTF-8"),
    "an upload": (
        upload("multipart/form-data; boundary=x"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not multipart/form-data",
    ),
    "an upload that says to be JSON": (upload("application/json"), 400, "BAD_REQUEST", "not JSON"),
    "mixed parts": (
        upload("multipart/mixed; boundary=x"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not multipart/mixed",
    ),
    "JSON lines": (
        request(Content_Type="application/x-ndjson"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not application/x-ndjson",
    ),
    "JSON with a suffix": (
        request(Content_Type="application/vnd.api+json"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "not application/vnd.api+json",
    ),
    "a media type of 50,000 letters": (
        request(Content_Type="a" * 50_000),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "A request is sent as application/json",
    ),
    "UTF-7 for a charset": (
        request(Content_Type="application/json; charset=utf-7"),
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "UTF-8, not utf-7",
    ),
    "chunks of a body that is no JSON": (chunks(b"3\r\n{]}\r\n"), 400, "BAD_REQUEST", "not JSON"),
    "chunks of a byte each": (
        chunks(*(b"1\r\n%c\r\n" % byte for byte in b"x" * 5_000)),
        400,
        "BAD_REQUEST",
        "not JSON",
    ),
    "no chunk at all": (chunks(), 400, "BAD_REQUEST", "zero-length"),
    "a trailer": (
        chunks(b"1\r\nx\r\n", end=b"0\r\nX-Checksum: 5\r\nX: y\r\n\r\n"),
        400,
        "BAD_REQUEST",
        "not JSON",
    ),
}

QUERY_STRINGS: dict[str, Refused] = {
    name: (request(b"", method="GET", target=f"/graphql?{query}", Content_Length=None), 400, code, fragment)
    for name, query, code, fragment in (
        ("half an escape", "query=%7", "GRAPHQL_PARSE_FAILED", "'%'"),
        ("an escape of no digits", "query=%zz", "GRAPHQL_PARSE_FAILED", "'%'"),
        ("bytes that are no UTF-8", "query=%ff%fe", "GRAPHQL_PARSE_FAILED", "U+FFFD"),
        ("an empty query", "query=", "GRAPHQL_PARSE_FAILED", "<EOF>"),
        (
            "variables in an array",
            "query=%7Ba%7D&variables=%5B%5D",
            "BAD_REQUEST",
            "'variables' must be an object",
        ),
        ("variables that are NaN", "query=%7Ba%7D&variables=NaN", "BAD_REQUEST", "'variables' is not JSON"),
        ("variables too deep", "query=%7Ba%7D&variables=" + "%5B" * 2_000, "BAD_REQUEST", "'variables'"),
        ("extensions that are text", "query=%7Ba%7D&extensions=x", "BAD_REQUEST", "'extensions' is not JSON"),
        ("a query twice, the last wins", "query=%7B__typename%7D&query=%7B", "GRAPHQL_PARSE_FAILED", "<EOF>"),
        ("10,000 parameters", "a=b&" * 10_000, "BAD_REQUEST", "'query' is missing"),
        ("brackets of PHP", "query[]=%7B__typename%7D", "BAD_REQUEST", "'query' is missing"),
    )
}

REQUESTS: dict[str, Refused] = JSON | ENCODINGS | QUERY_STRINGS

# Headers that say something strange beside a good query.
ODD_HEADERS: dict[str, bytes] = {
    "a key that is there twice": request(b'{"query":"{","query":"{ __typename }"}'),
    "the encoding identity": request(Content_Encoding="identity"),
    "a charset in quotes": request(Content_Type='application/json; charset="UTF-8"'),
    "a Last-Event-ID that is none": request(Last_Event_ID="; drop table journal"),
    "a Last-Event-ID of 50,000 letters": request(Last_Event_ID="a" * 50_000),
    "a traceparent that is none": request(traceparent="00-zz-zz-zz"),
    "a request id with a line's end in it": request(X_Request_ID="a\tb"),
    "a request id of 50,000 letters": request(X_Request_ID="a" * 50_000),
    "cookies": request(Cookie="a=b; " * 10_000),
    "a forwarded host": request(X_Forwarded_Host="evil.example", Forwarded="host=evil.example"),
    "another method in a header": request(X_HTTP_Method_Override="DELETE"),
    "another address in a header": request(X_Original_URL="/admin", X_Rewrite_URL="/admin"),
    "a range": request(Range="bytes=0-1,0-1,0-1"),
    "conditions": request(If_None_Match="*", If_Modified_Since="yesterday"),
    "10,000 media types": request(Accept="application/json," * 3_000),
    "a weight that is no number": request(Accept="application/json;q=NaN, application/graphql-response+json"),
    "an authorization that nobody asked for": request(Authorization="Bearer \xff\xfe"),
}

# Over server-sent events what is wrong with the operation is an event; what is wrong with the place in a stream too.
PLACES: dict[str, str] = {
    "nothing": "",
    "a word": "x",
    "a colon": ":",
    "no number": "epoch:revision",
    "a negative number": "epoch:-1",
    "a number beyond 64 bits": "epoch:99999999999999999999",
    "50,000 digits": "epoch:" + "9" * 50_000,
    "another epoch": "00000000-0000-0000-0000-000000000000:1",
    "digits of another script": "epoch:\xb2",
    "SQL": "'; drop table journal; --:1",
    "markup": "<script>:1",
}
