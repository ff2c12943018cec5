"""Evaluating expressions (`runtime.md` section 3): what they yield. Bounds: `test_expressions_bounds.py`."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from db.runtime.expressions import (
    NOTHING,
    ExpressionFailed,
    ExpressionInput,
    FailureCode,
    as_items,
    cast_to_boolean,
    evaluate,
)

NOW = datetime(2024, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
CONTEXT = {
    "company": {"type": "llp", "name": "Acme"},
    "directors": [{"id": 1, "hasDsc": True}, {"id": 2}, {"id": 3, "hasDsc": False}],
    "nothing": None,
    "holes": [1, None, 2],
    "none": [],
    "float": 1.0,
}
INPUT = ExpressionInput(
    context=CONTEXT,
    steps={"dsc-step": {"status": "Completed", "attempt": 1, "outputData": {"verified": True}}},
    execution={"id": "exec_1", "correlationId": "c", "name": "Acme"},
    each={"id": 7, "name": "Ada"},
)


def value(src: str, given: ExpressionInput | Mapping[str, Any] = INPUT) -> Any:
    return evaluate(src, given, now=NOW).value


def failure(src: str, given: ExpressionInput | Mapping[str, Any] = INPUT) -> ExpressionFailed:
    with pytest.raises(ExpressionFailed) as caught:
        evaluate(src, given, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("__context__.company.type = 'llp'", True),
        ("$count(__steps__.file.outputData.issues) > 0", False),
        ("__context__.directors[$not(hasDsc = true)].id", [2, 3]),
        ("'DSC for ' & __each__.name", "DSC for Ada"),
        ("__steps__.`dsc-step`.outputData.verified", True),
        ("__steps__.`dsc-step`.status", "Completed"),
        ("__execution__.id", "exec_1"),
        ("$.__context__.company.name", "Acme"),
        ("$$.__context__.company.name", "Acme"),
    ],
)
def test_an_expression_sees_context_steps_item_and_execution(src: str, expected: Any) -> None:
    assert value(src) == expected


@pytest.mark.parametrize(
    "src",
    ["__context__.missing", "__context__.missing.deeper", "missing", "__steps__.no.outputData", "$missing"],
)
def test_x1_a_missing_path_is_nothing_not_null(src: str) -> None:
    assert value(src) is NOTHING


def test_x1_outside_a_batch_the_item_is_nothing_and_null_is_an_item() -> None:
    assert value("__each__", ExpressionInput()) is NOTHING
    assert value("__each__", ExpressionInput(each=None)) is None


@pytest.mark.parametrize(
    "src", ["__context__.nothing", "null", "__context__.holes[1]", "$lookup(__context__, 'nothing')"]
)
def test_x1_null_is_null(src: str) -> None:
    assert value(src) is None


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("__context__.holes", [1, None, 2]),
        ("__context__.holes.($)", [1, None, 2]),
        ("$map(__context__.holes, function($v) { $v = null })", [False, True, False]),
        ("__context__.holes[$ = null]", None),
        ("__context__.holes = [1, null, 2]", True),
        ("null in __context__.holes", True),
        ("$distinct([null, null, 1])", [None, 1]),
        ("$each({'a': null}, function($v) { $type($v) })", "null"),
        ("[null]", [None]),
        ("{'a': null, 'b': missing}", {"a": None}),
    ],
)
def test_x1_nulls_inside_arrays_and_objects_stay_nulls(src: str, expected: Any) -> None:
    assert value(src) == expected


@pytest.mark.parametrize("falsy", [NOTHING, None, False, 0, 0.0, "", [], {}, [0], [None, [False, ""]], [{}]])
def test_x1_a_condition_is_cast_to_boolean_by_jsonatas_rule_false(falsy: Any) -> None:
    assert cast_to_boolean(falsy) is False


@pytest.mark.parametrize("truthy", [True, 1, -0.5, "false", "0", [1], [0, 1], {"a": None}, [[0, [1]]]])
def test_x1_a_condition_is_cast_to_boolean_by_jsonatas_rule_true(truthy: Any) -> None:
    assert cast_to_boolean(truthy) is True


@pytest.mark.parametrize("given", [None, False, 0, "", [], {}, [0, 0], True, 1, "x", [0, 1], {"a": 0}, [[1]]])
def test_x1_operators_cast_as_conditions_do(given: Any) -> None:
    expected = cast_to_boolean(given)
    data = {"given": given}
    assert value("$boolean(given)", data) is expected
    assert value("$not(given)", data) is not expected
    assert value("given ? true : false", data) is expected
    assert value("given and true", data) is expected
    assert value("given or false", data) is expected


@pytest.mark.parametrize(
    ("result", "items"),
    [
        (NOTHING, []),
        (None, []),
        ([], []),
        (0, [0]),
        ("a", ["a"]),
        ({"a": 1}, [{"a": 1}]),
        ([1, None], [1, None]),
    ],
)
def test_x1_an_iterable_that_yields_a_scalar_is_one_item_and_nothing_or_null_none(
    result: Any, items: Any
) -> None:
    assert as_items(result) == items


def test_x1_jsonata_collapses_one_element_sequences_and_keeps_arrays() -> None:
    assert as_items(value("__context__.directors[id = 2]")) == [{"id": 2}]
    assert value("__context__.directors[id = 2][]") == [{"id": 2}]
    assert value("[1]") == [1]


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("3 / 1.5", 2),
        ("5.5 % 2", 1.5),
        ("-5 % 3", -2),
        ("1e300", 1e300),
        ("__context__.float", 1.0),
        ("1 = true", False),
        ("[1..3]", [1, 2, 3]),
        ("$count([1..3])", 3),
        ("[3..1]", []),
        ("[1, 2, 3, 4][-1]", 4),
        ("[1, 2, 3, 4][[0, 2]]", [1, 3]),
        ("$distinct([1, 1.0, true, {'a': 1}, {'a': 1}, 'x'])", [1, True, {"a": 1}, "x"]),
        ("$sort([3, 1, 2])", [1, 2, 3]),
        ("$sort(__context__.directors, function($a, $b) { $a.id < $b.id }).id", [3, 2, 1]),
        ("__context__.directors^(>id).id", [3, 2, 1]),
        ("__context__.directors#$i[$i = 1].id", 2),
        ("__context__.company@$c.{'type': $c.type}", {"type": "llp"}),
        ("__context__.directors.%.company.type", ["llp", "llp", "llp"]),
        ("__context__.directors{$string(id): hasDsc}", {"1": True, "3": False}),
        ("[{'k': 'a', 'v': 1}, {'k': 'a', 'v': 2}]{k: v}", {"a": [1, 2]}),
        ("__context__.none{'a': $}", {}),
        ("$merge([__context__.company, {'type': 'pvt'}])", {"type": "pvt", "name": "Acme"}),
        ("__context__.company ~> |$|{'extra': 1}, 'type'|", {"name": "Acme", "extra": 1}),
        ("__context__.company.*", ["llp", "Acme"]),
        ("$keys(__context__.company)", ["type", "name"]),
        ("$spread({'a': 1, 'b': 2})", [{"a": 1}, {"b": 2}]),
        ("$zip([1, 2], [3, 4])", [[1, 3], [2, 4]]),
        ("$single([1, 2], function($x) { $x = 2 })", 2),
        ("$sift({'a': 1, 'b': 0}, $boolean)", {"a": 1}),
        ("$map([1, 2], $string)", ["1", "2"]),
        ("$map([[1, 2], [3]], $sum)", [3, 3]),
        ("$reduce([1..5], function($a, $b) { $a + $b })", 15),
        ("($f := $substring(?, 0, 1); $f('abc'))", "a"),
        ("($f := $uppercase ~> $length; $f('abc'))", 3),
        ("($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f(10))", 3628800),
        ("$string({'a': [1, null]})", '{"a":[1,null]}'),
        ("$string(true) & 1 & 'x' & missing", "true1x"),
        ("$number('0x1F')", 31),
        ("$number(' 12.5 ')", 12.5),
        ("'a' in ['a', 'b']", True),
        ("$pad('x', -3, '#')", "##x"),
        ("$join(['a', 'b'], '-')", "a-b"),
    ],
)
def test_operators_and_functions_yield_what_jsonata_says(src: str, expected: Any) -> None:
    result = value(src)
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("$match('abc abd', /ab(.)/)[1]", {"match": "abd", "index": 4, "groups": ["d"]}),
        ("$match('éé a', /a/).index", 3),
        ("$contains('abc', /B/i)", True),
        ("$split('a,b;c', /[,;]/)", ["a", "b", "c"]),
        ("$split('a,b,c', ',', 2)", ["a", "b"]),
        ("$split('abc', '')", ["a", "b", "c"]),
        ("$replace('a.b.c', '.', '$1')", "a$1b$1c"),
        ("$replace('a.b.c', '.', '-', 1)", "a-b.c"),
        ("$replace('John Smith', /(\\w+) (\\w+)/, '$2, $1 $$ $0 $3')", "Smith, John $ John Smith "),
        ("$replace('ab', /(a)/, '$12')", "a2b"),
        ("$replace('abc', /[a-z]/, function($m) { $uppercase($m.match) }, 2)", "ABc"),
        ("$match('ab', /(a)|(b)/)[1].groups", [None, "b"]),
        ("$filter(['ab', 'cb', 'ad'], function($s) { $contains($s, /^a/) })", ["ab", "ad"]),
    ],
)
def test_regular_expressions_on_the_linear_engine_do_what_jsonata_says(src: str, expected: Any) -> None:
    assert value(src) == expected


@pytest.mark.parametrize("src", ["$random()", "$eval('1')", "$shuffle([1])", "$map([1], $eval)"])
def test_x5_random_shuffle_and_eval_do_not_exist(src: str) -> None:
    assert failure(src).code is FailureCode.EXPRESSION_SYNTAX


def test_x5_now_and_millis_give_the_commands_time() -> None:
    assert value("$now()") == "2024-05-06T07:08:09.123Z"
    assert value("$millis()") == 1714979289123
    assert value("$now('[Y]-[M01]')") == "2024-05"
    assert value("[$now(), $millis()] = [$now(), $millis()]") is True


@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("$toMillis('10:30', '[H]:[m]')", "2024-05-06T10:30:00.000Z"),
        ("$toMillis('03', '[D]')", "2024-05-03T00:00:00.000Z"),
        ("$toMillis('01-02', '[M]-[D]')", "2024-01-02T00:00:00.000Z"),
        ("$toMillis('20231231', '[Y0001][M01][D01]')", "2023-12-31T00:00:00.000Z"),
        ("$toMillis('2023.12.31 (x)', '[Y].[M].[D] (x)')", "2023-12-31T00:00:00.000Z"),
        ("$toMillis('2023-12-31')", "2023-12-31T00:00:00.000Z"),
        ("$toMillis('31 December 2023, 1:05 pm', '[D] [MNn] [Y], [h]:[m] [P]')", "2023-12-31T13:05:00.000Z"),
    ],
)
def test_x5_what_a_picture_leaves_open_is_the_commands_date(src: str, expected: str) -> None:
    assert value(f"$fromMillis({src})") == expected


@pytest.mark.parametrize(
    "src",
    ["$sum", "[$sum]", "{'f': function($x) { $x }}", "/a/", "$match('a', /a/) ~> $sum", "$substring(?, 1)"],
)
def test_x5_a_result_that_holds_a_function_is_an_error(src: str) -> None:
    assert failure(src).code is FailureCode.EXPRESSION_FAILED


@pytest.mark.parametrize(
    ("src", "says"),
    [
        ("1 / 0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("1e308 * 10", "out of range"),
        ("'a' + 1", "left side of the + operator must evaluate to a number"),
        ("-'a'", "only a number can be negated"),
        ("__context__.company < 1", "must evaluate to numeric or string"),
        ("$error('no such company')", "failed: no such company."),
        ("$assert(false, 'must hold')", "failed: must hold."),
        ("$sort([1, 'a'])", "array of strings or an array of numbers"),
        ("$number('one')", "cast value to a number: one"),
        ("missing()", "non-function"),
        ("{1: 2}", "must evaluate to a string"),
        ("$substring(__context__, 1)", "Argument 1 of function substring"),
        ("__context__.$substring(1)", "takes from its context"),
        ("'a\\u0000b'", "NUL character"),
        ("'\\ud800'", "lone surrogate"),
    ],
)
def test_x2_an_error_is_one_sentence_that_says_what_is_wrong(src: str, says: str) -> None:
    failed = failure(src)
    assert failed.code is FailureCode.EXPRESSION_FAILED
    assert says in failed.message
    assert failed.message.endswith(".")
    assert "Traceback" not in failed.message
    assert "Object" not in failed.message


def test_x2_what_fails_is_short_and_can_be_stored() -> None:
    failed = failure("$error('" + "x" * 10_000 + "\\u0000\\ud800')")
    assert len(failed.message) < 500
    assert failed.message.encode()
    assert "\0" not in failure("$error('\\u0000')").message


def test_x4_the_syntax_error_says_that_hyphens_need_backticks() -> None:
    failed = failure("__steps__.dsc-step.outputData.verified")
    assert failed.code is FailureCode.EXPRESSION_SYNTAX
    assert "needs backticks: __steps__.`dsc-step`" in failed.message


@pytest.mark.parametrize(
    "src",
    [
        "__context__",
        "__context__.none{'a': 1}",
        "$$ ~> |$$.__context__|{'x': 1}|",
        "__context__ ~> |**|{'x': 1}, 'type'|",
        "$sort(__context__.directors, function($a, $b) { $a.id < $b.id })",
        "$append(__context__.directors, 1)",
        "$reverse(__context__.directors)",
        "__context__.directors#$i@$d.{'i': $i}",
        "(__context__.directors[] ~> $map($string))",
    ],
)
def test_an_evaluation_changes_nothing_of_its_input_and_shares_nothing_with_it(src: str) -> None:
    before = copy.deepcopy(CONTEXT)
    result = value(src)
    assert before == CONTEXT
    if isinstance(result, dict | list):
        result.clear()
    assert before == CONTEXT


def test_a_function_named_anew_is_still_itself_in_the_next_evaluation() -> None:
    assert value("($mine := $substring; $mine('abc', 1))") == "bc"
    assert "function substring" in failure("$substring({}, 1)").message
