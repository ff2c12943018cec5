"""GraphQL documents that must not run: what is sent, the code of the first error, and what its message says."""

from typing import Any

Document = tuple[str, str, str]  # the text, the code, a part of the message

PARSE, VALIDATION, LIMIT = "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED"
NAMELESS = "OPERATION_RESOLUTION_FAILURE"


def repeated(text: str, times: int) -> str:
    return " ".join([text] * times)


def numbered(text: str, times: int, between: str = " ") -> str:
    """The text so many times, `#` in it being the number."""
    return between.join(text.replace("#", str(n)) for n in range(times))


def nested(opening: str, innermost: str, closing: str, depth: int) -> str:
    return opening * depth + innermost + closing * depth


def doubling(depth: int) -> str:
    """Fragments of which each spreads the next one twice: 2 to the power of `depth` fields."""
    links = numbered("fragment F# on Query { ...N# ...N# }", depth)
    for n in range(depth):
        links = links.replace(f"...N{n} ", f"...F{n + 1} ")
    return f"{{ ...F0 }} {links} fragment F{depth} on Query {{ __typename }}"


PARENTS = nested("{ parentWorkflowExecution ", "{ id }", "}", 12)
CIRCLE = numbered("fragment C# on Query { ...C~# }", 100).replace("~99", "0")
for _n in range(99):
    CIRCLE = CIRCLE.replace(f"...C~{_n} ", f"...C{_n + 1} ")

BOMBS: dict[str, Document] = {
    "14 fields deep": (f'{{ workflowExecution(id: "x") {PARENTS} }}', LIMIT, "depth: 14"),
    "introspection 16 deep": (
        f"{{ __schema {{ types {nested('{ ofType ', '{ name }', '}', 14)} }} }}",
        LIMIT,
        "introspection depth: 17",
    ),
    "31 aliases": (f"{{ workflowTemplates {{ {numbered('a#: totalCount', 31)} }} }}", LIMIT, "aliases: 31"),
    "300 aliases of a root field": (f"{{ {numbered('a#: __typename', 300)} }}", LIMIT, "aliases: 300"),
    "31 aliases in a fragment": (
        f"{{ ...F }} fragment F on Query {{ {numbered('a#: __typename', 31)} }}",
        LIMIT,
        "aliases: 31",
    ),
    "aliases that spreads double": (
        doubling(6).replace("{ __typename }", "{ a: __typename }"),
        LIMIT,
        "aliases: 64",
    ),
    "11 root fields": (f"{{ {repeated('__typename', 11)} }}", LIMIT, "root fields: 11"),
    "11 root fields of a mutation": (
        f"mutation {{ {repeated('__typename', 11)} }}",
        LIMIT,
        "root fields: 11",
    ),
    "51 directives at a field": (
        f"{{ __typename {repeated('@skip(if: false)', 51)} }}",
        LIMIT,
        "directives: 51",
    ),
    "51 directives at an operation": (
        f"query {repeated('@a', 51)} {{ __typename }}",
        LIMIT,
        "directives: 51",
    ),
    "51 directives at a variable": (
        f"query ($a: Int {repeated('@a', 51)}) {{ __typename }}",
        LIMIT,
        "directives: 51",
    ),
    "51 directives at a spread": (
        f"{{ ...F {repeated('@a', 51)} }} fragment F on Query {{ __typename }}",
        LIMIT,
        "directives: 51",
    ),
    "51 directives at an inline fragment": (
        f"{{ ... {repeated('@a', 51)} {{ __typename }} }}",
        LIMIT,
        "directives: 51",
    ),
    "spreads that double 3 times": (doubling(4), LIMIT, "root fields: 16"),
    "spreads that double 60 times": (doubling(60), LIMIT, "root fields: 1,000,000,000"),
    "a fragment within itself": ("{ ...F } fragment F on Query { ...F }", VALIDATION, "itself"),
    "two fragments within each other": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        VALIDATION,
        "Cannot spread fragment 'A' within itself via 'B'",
    ),
    "100 fragments in a circle": (f"{{ ...C0 }} {CIRCLE}", VALIDATION, "within itself via"),
    "a circle that nothing spreads": (
        "{ __typename } fragment A on Query { ...A }",
        VALIDATION,
        "within itself",
    ),
    "a circle through inline fragments": (
        "{ ...A } fragment A on Query { ... on Query { ... { ...A } } }",
        VALIDATION,
        "within itself",
    ),
    "pages of pages": (
        "{ workflowExecutions(first: 500) { nodes { childWorkflowExecutions(first: 500) { nodes { id } } } } }",
        LIMIT,
        "nodes",
    ),
    "pages without first": (
        "{ workflowExecutions(first: 500) { nodes { childWorkflowExecutions { nodes { steps { id } } } } } }",
        LIMIT,
        "nodes",
    ),
    "a field in 1,900 copies": (
        f"{{ workflowTemplates {{ {repeated('totalCount', 1_900)} }} }}",
        VALIDATION,
        "more than can be validated",
    ),
    "fragments that are compared pair by pair": (
        "{ workflowTemplates { "
        + numbered("...F#", 150)
        + " } } "
        + numbered("fragment F# on WorkflowTemplateConnection { totalCount totalCount }", 150),
        VALIDATION,
        "more than can be validated",
    ),
    "2,001 tokens of a list": (
        f"{{ nodes(ids: [{'1 ' * 2_001}]) {{ id }} }}",
        PARSE,
        "more than 2000 tokens",
    ),
    "2,001 comments": ("#\n" * 2_001 + "{ __typename }", PARSE, "more than 2000 tokens"),
    "2,001 tokens of braces": ("{" * 2_001, PARSE, "Expected Name"),
    "900 lists within each other": (
        f"{{ nodes(ids: {nested('[', '1', ']', 900)}) {{ id }} }}",
        PARSE,
        "nested too deeply",
    ),
    "400 objects within each other": (
        f"{{ workflowExecutions(where: {nested('{not: ', '{}', '}', 400)}) {{ totalCount }} }}",
        PARSE,
        "nested too deeply",
    ),
    "600 inline fragments within each other": (
        "{" + nested("...{", "__typename", "}", 600) + "}",
        PARSE,
        "nested too deeply",
    ),
}

SYNTAX: dict[str, Document] = {
    "white space": (" \t\r\n,", PARSE, "Unexpected <EOF>"),
    "a comment": ("# nothing", PARSE, "Unexpected <EOF>"),
    "a byte order mark": ("\ufeff", PARSE, "Unexpected <EOF>"),
    "an open brace": ("{ __typename", PARSE, "found <EOF>"),
    "a brace too many": ("{ __typename } }", PARSE, "Unexpected '}'"),
    "an empty selection": ("{ }", PARSE, "found '}'"),
    "an empty selection of a mutation": ("mutation { }", PARSE, "found '}'"),
    "an empty selection of a subscription": ("subscription { }", PARSE, "found '}'"),
    "an empty inline fragment": ("{ ... { } }", PARSE, "found '}'"),
    "an empty fragment": ("{ ...F } fragment F on Query { }", PARSE, "found '}'"),
    "an empty selection below": ('{ node(id: "x") { } }', PARSE, "found '}'"),
    "empty arguments": ("{ node() { id } }", PARSE, "found ')'"),
    "empty variables": ("query () { __typename }", PARSE, "found ')'"),
    "two names": ("query A B { __typename }", PARSE, "Name 'B'"),
    "two colons": ("{ a:: __typename }", PARSE, "found ':'"),
    "two dollars": ("query ($$a: Int) { __typename }", PARSE, "found '$'"),
    "a variable that has a variable for its default": (
        "query ($a: Int, $b: Int = $a) { __typename }",
        PARSE,
        "variable '$a' in constant value",
    ),
    "a fragment named on": ("fragment on on Query { __typename }", PARSE, "Unexpected Name 'on'"),
    "a fragment with variables": ("fragment F($a: Int) on Query { __typename }", PARSE, "found '('"),
    "a keyword that is none": ("quest { __typename }", PARSE, "Unexpected Name 'quest'"),
    "a number before all": ("1", PARSE, "Unexpected Int '1'"),
    "a string before all": ('"x"', PARSE, "Unexpected <EOF>"),
    "JSON": ('{"query": "{ __typename }"}', PARSE, "found String 'query'"),
    "markup": ("<script>alert(1)</script>", PARSE, "Unexpected character: '<'"),
    "SQL": ("'; drop table journal; --", PARSE, "Unexpected single quote"),
    "an ampersand": ("{ & }", PARSE, "found '&'"),
    "a backslash": ("{ \\ }", PARSE, "Unexpected character: '\\'"),
    "two dots": ("{ ..F }", PARSE, "Unexpected"),
    "a name with an accent": ("{ é }", PARSE, "Unexpected character: U+00E9"),
    "a name in Cyrillic": ("{ __typеname }", PARSE, "Unexpected character: U+0435"),
    "an emoji": ("{ 😀 }", PARSE, "Unexpected character: U+1F600"),
    "a no-break space": ("{\u00a0__typename }", PARSE, "Unexpected character: U+00A0"),
    "a space without width": ("{\u200b__typename }", PARSE, "Unexpected character: U+200B"),
    "text from right to left": ("{ \u202e__typename }", PARSE, "Unexpected character: U+202E"),
    "a line separator": ("{ __typename\u2028}", PARSE, "Unexpected character: U+2028"),
    "a byte order mark within a name": ("{ __type\ufeffname }", VALIDATION, "must have a selection"),
    "a bell": ("{ \u0007 }", PARSE, "Unexpected character: U+0007"),
    "a delete character": ("{ \u007f }", PARSE, "Unexpected character: U+007F"),
    "a character that never is one": ("{ \uffff }", PARSE, "Unexpected character: U+FFFF"),
    "an open string": ('{ node(id: "x) { id } }', PARSE, "Unterminated string"),
    "a string of two lines": ('{ node(id: "x\ny") { id } }', PARSE, "Unterminated string"),
    "an open block string": ('{ node(id: """x) { id } }', PARSE, "Unterminated string"),
    "four quotes": ('{ node(id: """") { id } }', PARSE, "Unterminated string"),
    "an escape that there is none of": (r'{ node(id: "\x41") { id } }', PARSE, "escape sequence: '\\x'"),
    "half an escape": (r'{ node(id: "\u00") { id } }', PARSE, "Invalid Unicode escape"),
    "an escape of no digits": (r'{ node(id: "\u{}") { id } }', PARSE, "Invalid Unicode escape"),
    "an escape beyond Unicode": (r'{ node(id: "\u{110000}") { id } }', PARSE, "Invalid Unicode escape"),
    "an escape of 10,000 digits": (
        '{ node(id: "\\u{' + "0" * 10_000 + '}") { id } }',
        PARSE,
        "Invalid Unicode escape",
    ),
    "a high surrogate alone": (r'{ node(id: "\ud83d") { id } }', PARSE, "Invalid Unicode escape"),
    "a low surrogate alone": (r'{ node(id: "\ude00") { id } }', PARSE, "Invalid Unicode escape"),
    "surrogates the wrong way round": (r'{ node(id: "\ude00\ud83d") { id } }', PARSE, "Unicode escape"),
    "a surrogate in braces": (r'{ node(id: "\u{d800}") { id } }', PARSE, "Invalid Unicode escape"),
    "a number that begins with 0": ("{ workflowTemplates(first: 007) { totalCount } }", PARSE, "after 0"),
    "a number that ends with a dot": (
        "{ workflowTemplates(first: 1.) { totalCount } }",
        PARSE,
        "expected digit",
    ),
    "a number that begins with a dot": (
        "{ workflowTemplates(first: .5) { totalCount } }",
        PARSE,
        "digit before",
    ),
    "a hexadecimal number": ("{ workflowTemplates(first: 0x1F) { totalCount } }", PARSE, "Invalid number"),
    "a plus sign": ("{ workflowTemplates(first: +1) { totalCount } }", PARSE, "Unexpected character: '+'"),
    "a minus sign alone": ("{ workflowTemplates(first: -) { totalCount } }", PARSE, "expected digit"),
    "an exponent without digits": (
        "{ workflowTemplates(first: 1e) { totalCount } }",
        PARSE,
        "expected digit",
    ),
    "a number that runs into a name": ("{ workflowTemplates(first: 1a) { totalCount } }", PARSE, "digit"),
}

VALIDITY: dict[str, Document] = {
    "a type definition": ("type A { a: Int }", VALIDATION, "not executable"),
    "a type definition beside a query": ("{ __typename } type A { a: Int }", VALIDATION, "not executable"),
    "an extension": ("{ __typename } extend type Query { a: Int }", VALIDATION, "not executable"),
    "another schema": ("schema { query: A }", VALIDATION, "not executable"),
    "a directive definition": ("directive @a on FIELD { __typename }", VALIDATION, "not executable"),
    "two operations of a name": ("query A { __typename } query A { __typename }", VALIDATION, "named 'A'"),
    "two without a name": ("{ __typename } { __typename }", VALIDATION, "must be the only"),
    "one without a name among others": (
        "{ __typename } query A { __typename }",
        VALIDATION,
        "must be the only",
    ),
    "two fragments of a name": (
        "{ ...F } fragment F on Query { __typename } fragment F on Query { __typename }",
        VALIDATION,
        "only one fragment named 'F'",
    ),
    "only a fragment": ("fragment F on Query { __typename }", VALIDATION, "Fragment 'F' is never used"),
    "a fragment that nothing spreads": (
        "{ __typename } fragment F on Query { __typename }",
        VALIDATION,
        "never used",
    ),
    "a fragment that there is none of": ("{ ...F }", VALIDATION, "Unknown fragment 'F'"),
    "a fragment on a type that there is none of": (
        "{ ... on Nope { a } }",
        VALIDATION,
        "Unknown type 'Nope'",
    ),
    "a fragment on a scalar": ("{ ... on Int { a } }", VALIDATION, "non composite type 'Int'"),
    "a fragment on an input": (
        "{ ... on StepInput { id } }",
        VALIDATION,
        "non composite type 'StepInput'",
    ),
    "a fragment on an enum": ("{ ... on ChangeKind { a } }", VALIDATION, "non composite type 'ChangeKind'"),
    "a fragment on another root": ("{ ... on Mutation { __typename } }", VALIDATION, "can never be of type"),
    "a selection of a leaf": ("{ __typename { a } }", VALIDATION, "must not have a selection"),
    "no selection of an object": ("{ workflowTemplates }", VALIDATION, "must have a selection of subfields"),
    "an argument that there is none of": (
        "{ workflowTemplates(frist: 1) { totalCount } }",
        VALIDATION,
        "Unknown argument 'frist'",
    ),
    "an argument twice": (
        "{ workflowTemplates(first: 1, first: 2) { totalCount } }",
        VALIDATION,
        "only one argument named 'first'",
    ),
    "an argument that is missing": ("{ node { id } }", VALIDATION, "of type 'ID!' is required"),
    "fields that cannot be merged": (
        '{ a: node(id: "x") { id } a: node(id: "y") { id } }',
        VALIDATION,
        "Fields 'a' conflict",
    ),
    "fields of two types that cannot be merged": (
        "{ workflowTemplates { a: totalCount a: __typename } }",
        VALIDATION,
        "Fields 'a' conflict",
    ),
    "a directive that there is none of": ("{ __typename @nope }", VALIDATION, "Unknown directive '@nope'"),
    "a directive in another place": ("query @skip(if: true) { __typename }", VALIDATION, "not be used on"),
    "a directive twice": (
        "{ __typename @skip(if: true) @skip(if: true) }",
        VALIDATION,
        "only be used once",
    ),
    "a directive without its argument": (
        "{ __typename @skip }",
        VALIDATION,
        "'@skip(if:)' of type 'Boolean!'",
    ),
    "a directive with a text": ('{ __typename @skip(if: "true") }', VALIDATION, "Boolean cannot represent"),
    "a variable twice": ("query ($a: Int, $a: Int) { __typename }", VALIDATION, "only one variable"),
    "a variable that nothing uses": ("query ($a: Int) { __typename }", VALIDATION, "'$a' is never used"),
    "a variable that there is none of": (
        "{ workflowTemplates(first: $n) { totalCount } }",
        VALIDATION,
        "Variable '$n' is not defined",
    ),
    "a variable of an output type": (
        "query ($id: WorkflowExecution) { node(id: $id) { id } }",
        VALIDATION,
        "cannot be non-input type",
    ),
    "a variable of a type that there is none of": (
        "query ($id: Nope) { node(id: $id) { id } }",
        VALIDATION,
        "Unknown type 'Nope'",
    ),
    "a variable in the place of another type": (
        "query ($n: String) { workflowTemplates(first: $n) { totalCount } }",
        VALIDATION,
        "of type 'String' used in position expecting type 'Int'",
    ),
    "a variable that may be null in the place of one that may not": (
        "query ($id: ID) { node(id: $id) { id } }",
        VALIDATION,
        "expecting type 'ID!'",
    ),
    "a list in the place of one": (
        "query ($id: [ID!]!) { node(id: $id) { id } }",
        VALIDATION,
        "expecting type 'ID!'",
    ),
    "a default of another type": (
        'query ($n: Int = "1") { workflowTemplates(first: $n) { totalCount } }',
        VALIDATION,
        "Int cannot represent",
    ),
    "a subscription of two fields": (
        "subscription { changes { __typename } b: changes { __typename } }",
        VALIDATION,
        "only one top level field",
    ),
    "a subscription of an introspection field": ("subscription { __typename }", VALIDATION, "introspection"),
    "an unknown type's member of a union": (
        '{ node(id: "x") { ... on Nope { id } } }',
        VALIDATION,
        "Unknown type 'Nope'",
    ),
    "a field of a member on its union": (
        '{ node(id: "x") { name } }',
        VALIDATION,
        "Cannot query field 'name'",
    ),
    "a field that belongs to Python": ("{ __class__ }", VALIDATION, "Cannot query field '__class__'"),
    "a field that belongs to JavaScript": ("{ __proto__ }", VALIDATION, "Cannot query field '__proto__'"),
    "a name of 60,000 characters": (f"{{ {'a' * 60_000} }}", VALIDATION, "Cannot query field"),
    "several operations and no name": (
        "query A { __typename } query B { __typename }",
        NAMELESS,
        "several operations",
    ),
}

# Longer than a message over WebSocket may be.
LONG: dict[str, Document] = {
    "a comment": ("{ __typename } # " + "#" * 200_000, LIMIT, "200,017 characters"),
    "a name": (f"{{ {'a' * 1_900_000} }}", LIMIT, "at most 131,072 are allowed"),
    "a text": (f'{{ node(id: "{"a" * 1_900_000}") {{ id }} }}', LIMIT, "send values as variables"),
    "an open text": (f'{{ node(id: "{"a" * 1_900_000}', LIMIT, "characters"),
    "a block string": (f'{{ node(id: """{"a " * 900_000}""") {{ id }} }}', LIMIT, "characters"),
    "a number": (f"{{ workflowTemplates(first: {'9' * 1_900_000}) {{ totalCount }} }}", LIMIT, "characters"),
    "white space": ("{ __typename }" + " " * 1_900_000, LIMIT, "characters"),
    "a number of 100,000 digits": (
        f"{{ workflowTemplates(first: {'9' * 100_000}) {{ totalCount }} }}",
        VALIDATION,
        "Expected value of type 'Int'",
    ),
    "a name of 100,000 letters": (f"{{ {'a' * 100_000} }}", VALIDATION, "Cannot query field 'aaa"),
}

DOCUMENTS: dict[str, Document] = BOMBS | SYNTAX | VALIDITY

# What looks dangerous and is not: a document, its variables, and its data.
HARMLESS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a comment of 60,000 characters": (f"{{ __typename }} # {'#' * 60_000}", {}, {"__typename": "Query"}),
    "1,900 comments": ("#\n" * 1_900 + "{ __typename }", {}, {"__typename": "Query"}),
    "60,000 commas": ("," * 60_000 + "{ __typename }", {}, {"__typename": "Query"}),
    "a byte order mark first": ("\ufeff{ __typename }", {}, {"__typename": "Query"}),
    "carriage returns": ("{\r\n\r__typename\r}", {}, {"__typename": "Query"}),
    "an id of 50,000 characters": (f'{{ node(id: "{"x" * 50_000}") {{ id }} }}', {}, {"node": None}),
    "an id in a block string": ('{ node(id: """\n  x\n    y\n""") { id } }', {}, {"node": None}),
    "a block string of 20,000 line breaks": (
        f'{{ node(id: """{chr(10) * 20_000}""") {{ id }} }}',
        {},
        {"node": None},
    ),
    "an emoji by two surrogates": (r'{ node(id: "\ud83d\ude00") { id } }', {}, {"node": None}),
    "an emoji by one escape": (r'{ node(id: "\u{1F600}") { id } }', {}, {"node": None}),
    "30 aliases": (
        f"{{ {numbered('a#: __typename', 10)} }}",
        {},
        {f"a{n}": "Query" for n in range(10)},
    ),
    "spreads that are left out": (
        "{ __typename ...F @skip(if: true) } fragment F on Query { a: __typename }",
        {},
        {"__typename": "Query"},
    ),
    "variables that nobody asked for": ("{ __typename }", {"a": [1, {"b": None}]}, {"__typename": "Query"}),
    "an id that is an integer": ("query ($id: ID!) { node(id: $id) { id } }", {"id": 7}, {"node": None}),
    "an id of JavaScript": (
        "query ($id: ID!) { node(id: $id) { id } }",
        {"id": "__proto__"},
        {"node": None},
    ),
    "an id with a null character's name": (
        "query ($id: ID!) { node(id: $id) { id } }",
        {"id": "\u2400"},
        {"node": None},
    ),
    "a text from right to left": (
        "query ($id: ID!) { node(id: $id) { id } }",
        {"id": "\u202etxt.exe"},
        {"node": None},
    ),
    "characters that combine": (
        "query ($id: ID!) { node(id: $id) { id } }",
        {"id": "e" + "\u0301" * 5_000},
        {"node": None},
    ),
}
