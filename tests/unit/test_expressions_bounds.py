"""The bounds of one evaluation (`runtime.md` X3), with expressions that are meant to hurt. No clock: work is counted."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonata.jsonata import Jsonata

from db.runtime.expressions import NOTHING, Evaluation, ExpressionFailed, FailureCode, evaluate, is_light
from db.runtime.limits import ExpressionLimits
from tests.hostile_expressions import CONTEXT, HOSTILE, WRONG

NOW = datetime(2024, 5, 6, tzinfo=UTC)
DATA = {"__context__": CONTEXT}
LIMITS = ExpressionLimits()


def outcome(
    src: str, limits: ExpressionLimits = LIMITS, data: Any = DATA, **more: Any
) -> Evaluation | ExpressionFailed:
    try:
        return evaluate(src, data, now=NOW, limits=limits, **more)
    except ExpressionFailed as failed:
        return failed


@pytest.mark.timeout(30)
@pytest.mark.parametrize("src", HOSTILE)
def test_x3_a_hostile_expression_is_refused_within_its_bound(src: str) -> None:
    failed = outcome(src)
    assert isinstance(failed, ExpressionFailed)
    assert failed.code is FailureCode.LIMIT_EXCEEDED
    assert "passes a bound" in failed.message


@pytest.mark.timeout(30)
@pytest.mark.parametrize("src", WRONG)
def test_x3_a_hostile_expression_that_is_wrong_besides_is_told_so_in_few_words(src: str) -> None:
    failed = outcome(src)
    assert isinstance(failed, ExpressionFailed)
    assert len(failed.message) < 500


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("src", "expected"),
    [
        ("$contains('" + "a" * 10_000 + "b', /(a+)+$/)", False),
        ("$contains('" + "a" * 10_000 + "', /^(a|aa)+$/)", True),
        ("$toMillis('" + "a" * 40 + "!', '(a+)+$[Y]')", NOTHING),
        ("$toMillis('" + "1" * 60 + "x', '[d1][W1][w1][X1][f1][d1][d1][d1][d1][d1]')", NOTHING),
        ("$contains('" + "x" * 10_000 + "', /(x+x+)+y/)", False),
    ],
)
def test_x3_catastrophic_regular_expressions_take_linear_time(src: str, expected: Any) -> None:
    assert evaluate(src, {}, now=NOW).value is expected


def test_x3_options_of_a_number_format_are_no_regular_expressions() -> None:
    src = "$formatNumber(12, '" + "a" * 30 + "!0', {'exponent-separator': '(a+)+$'})"
    assert isinstance(outcome(src), ExpressionFailed)


@pytest.mark.parametrize("seconds", [0.05])
def test_x3_one_evaluation_takes_at_most_50_ms(seconds: float) -> None:
    assert LIMITS.seconds == seconds
    looks: list[None] = []

    def is_over() -> bool:
        looks.append(None)
        return len(looks) == 3

    failed = outcome("$map([1..1000], function($x) { $x })", is_over=is_over)
    assert isinstance(failed, ExpressionFailed)
    assert failed.code is FailureCode.LIMIT_EXCEEDED
    assert "took longer than 50 ms" in failed.message
    assert len(looks) == 3


def test_x3_the_clock_is_asked_at_least_every_two_thousand_units_of_work() -> None:
    looks: list[None] = []
    src = "$map([1..500], function($x) { $contains($string($x), /1/) })"
    done = evaluate(src, {}, now=NOW, is_over=lambda: looks.append(None) is not None)
    assert len(looks) >= done.work // 2_000


@pytest.mark.parametrize(
    ("limits", "src"),
    [
        (replace(LIMITS, work=100), "1 + 1 + 1 + 1 + 1 + 1"),
        (replace(LIMITS, depth=5), "((((((1))))))"),
        (replace(LIMITS, text_characters=10), "'123456' & '78901'"),
        (replace(LIMITS, text_characters=10), "$pad('', 11)"),
        (replace(LIMITS, text_characters=10), "$join(['12345', '67890'], '-')"),
        (replace(LIMITS, text_characters=10), "$uppercase('ßßßßßß')"),
        (replace(LIMITS, text_characters=10), "$replace('aaaa', 'a', '123')"),
        (replace(LIMITS, text_characters=10), "$replace('aaaa', /a/, '123')"),
        (replace(LIMITS, text_characters=10), "$replace('aaaa', /(.*)/, '$1$1$1')"),
        (replace(LIMITS, text_characters=10), "$string([1, 2, 3, 4, 5, 6])"),
        (replace(LIMITS, items=5), "[1..6]"),
        (replace(LIMITS, items=5), "$append([1, 2, 3], [4, 5, 6])"),
        (replace(LIMITS, items=5), "[1, 2, 3].($$.a)"),
        (replace(LIMITS, items=5), "$split('a,b,c,d,e,f', ',')"),
        (replace(LIMITS, items=5), "$split('abcdef', /x?/)"),
        (replace(LIMITS, result_bytes=10), "['123', '456', '789']"),
        (replace(LIMITS, json_depth=3), "[[[[1]]]]"),
    ],
)
def test_x3_work_depth_and_sizes_are_bounded(limits: ExpressionLimits, src: str) -> None:
    data = {"a": [1, 2]}
    failed = outcome(src, limits, data)
    assert isinstance(failed, ExpressionFailed)
    assert failed.code is FailureCode.LIMIT_EXCEEDED
    assert isinstance(outcome(src, data=data), Evaluation), "and it is the bound that refuses it"


def test_x3_work_is_counted_alike_every_time() -> None:
    src = "__context__.people[id > 100].name"
    assert evaluate(src, DATA, now=NOW).work == evaluate(src, DATA, now=NOW).work


def test_a_typical_condition_costs_the_same_in_a_large_context() -> None:
    src = "__context__.company.type = 'llp'"
    small = evaluate(src, {"__context__": {"company": {"type": "llp"}}}, now=NOW)
    assert evaluate(src, DATA, now=NOW).work == small.work < 200


@pytest.mark.parametrize(
    "src",
    [
        "__context__.company.type = 'llp'",
        "__context__.directors[$not(hasDsc = true)]",
        "'DSC for ' & __each__.name",
        "$count(__steps__.file.outputData.issues) > 0",
        "{'id': __each__.id, 'names': [__each__.name, 'x']}",
        "($total := $sum(items.price); $total > 100 ? 'high' : 'low')",
    ],
)
def test_what_definitions_usually_hold_is_light(src: str) -> None:
    assert is_light(src)


@pytest.mark.parametrize(
    "src",
    [*HOSTILE[:6], "/a/", "a ~> $f", "a.**", "a^(b)", "$f(1)", "a@$b.c", "%", "'" + "x" * 300 + "'", "("],
)
def test_what_may_take_long_in_one_step_is_not_light(src: str) -> None:
    assert not is_light(src)


NAMES = st.sampled_from(["__context__", "a", "b", "c", "`d-e`"])
LITERALS = st.sampled_from(
    [
        "1",
        "-2.5",
        "1e308",
        "'x'",
        "''",
        "true",
        "null",
        "[]",
        "{}",
        "[1..4]",
        "/a+/",
        "$",
        "$$",
        "*",
        "**",
        "missing",
    ]
)
FUNCTIONS = st.sampled_from(sorted(set(Jsonata.static_frame.bindings) - {"eval", "random", "shuffle"}))
LAMBDA = "function($x, $y) { $x }"


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "%", "=", "!=", "<", ">=", "&", "and", "or", "in", ".", "~>", "??", "?:"]
    )
    return st.one_of(
        st.tuples(inner, operators, inner).map(" ".join),
        st.tuples(FUNCTIONS, st.lists(inner | st.just(LAMBDA) | st.just("?"), max_size=4)).map(
            lambda call: f"${call[0]}({', '.join(call[1])})"
        ),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}[{pair[1]}]"),
        st.tuples(inner, inner, inner).map(lambda each: f"({each[0]} ? {each[1]} : {each[2]})"),
        st.tuples(inner, inner).map(lambda pair: f"{pair[0]}{{{pair[1]}: {pair[0]}}}"),
        st.tuples(inner, inner).map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]})^(>{pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} ~> |{pair[1]}|{{'n': 1}}|)"),
        st.tuples(inner, inner).map(lambda pair: f"(($f := function($n) {{ {pair[0]} }}; $f({pair[1]})))"),
        st.tuples(NAMES, inner).map(lambda pair: f"{pair[0]}@$v.{pair[0]}#$i[{pair[1]}].%"),
    )


EXPRESSIONS = st.recursive(NAMES | LITERALS | FUNCTIONS.map("${}".format), grown, max_leaves=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "c", "d-e"]), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, VALUES)
def test_x2_nothing_but_expression_failed_comes_out_whatever_goes_in(src: str, context: Any) -> None:
    small = replace(LIMITS, work=20_000, items=1_000, text_characters=10_000)
    result = outcome(src, small, {"__context__": context, "a": context, "b": [context]}, record_reads=True)
    assert isinstance(result, Evaluation | ExpressionFailed)
    if isinstance(result, ExpressionFailed):
        assert result.message.encode()


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="()[]{}$.*/%^@#|?:~<>=&'`+-,; ab1_λ\\\n", max_size=30))
def test_x2_nothing_but_expression_failed_comes_out_of_noise(src: str) -> None:
    assert isinstance(
        outcome(src, replace(LIMITS, work=20_000), {"a": [1], "b": {"a": "x"}}), Evaluation | ExpressionFailed
    )
