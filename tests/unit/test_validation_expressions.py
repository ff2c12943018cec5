"""The syntax of expressions (`runtime.md` X3–X5), with sources that are meant to hurt."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.runtime.expression_syntax import syntax_error


@pytest.mark.parametrize(
    "src",
    [
        "__context__.company.type = 'llp'",
        "$count(__steps__.file.outputData.issues) > 0",
        "__context__.directors[$not(hasDsc = true)]",
        "'DSC for ' & __each__.name",
        "__steps__.`dsc-step`.outputData.children.id",
        "__steps__.a.outputData.total - __steps__.b.outputData.total",
        "($total := $sum(items.price); $total > 100 ? 'high' : 'low')",
        "items ~> $map(function($item) { $item.price * 2 })",
        "$match(name, /^[a-z]+$/i)",
        "a ?? b",
        "a ?: 'none'",
        "{'a': [1..3], \"b\": null}",
        "`$eval`.`random`",
        "'$random()'",
        "$now()",
        "/* why */ true",
        " + ".join(["n"] * 150),
        "[" + ",".join(["1"] * 1_000) + "]",
    ],
)
def test_a_right_source_has_no_error(src: str) -> None:
    assert syntax_error(src) is None


@pytest.mark.parametrize(
    "src",
    [
        "",
        " ",
        "1 +",
        "a b",
        "(a",
        "a]",
        "[1,",
        "{'a' 1}",
        "'open",
        "`open",
        "/",
        "/a",
        "/* open",
        "!",
        "a ! b",
        "~",
        "%",
        "a.1",
        "a := 1",
        "function(x){1}",
        "a^b",
        "'\\q'",
        "9" * 400,
        "1e999",
        "function($x)<",
        "|a|",
        "//",
        "$$$ $",
    ],
)
def test_what_does_not_parse_has_one_sentence_of_error(src: str) -> None:
    error = syntax_error(src)
    assert error
    assert error[0].isupper()
    assert "\n" not in error


@pytest.mark.parametrize(
    "src",
    [
        "__steps__.dsc-step.outputData.id",
        "__steps__.dsc-step",
        "__steps__.dsc-1step.x",
        "$.__steps__.dsc-step",
    ],
)
def test_x4_a_hyphenated_id_needs_backticks_and_the_error_says_so(src: str) -> None:
    error = syntax_error(src)
    assert error
    assert "needs backticks: __steps__.`dsc-" in error


def test_x4_the_hint_comes_with_other_errors_too() -> None:
    error = syntax_error("(__steps__.dsc-step.outputData.id")
    assert error
    assert "Expected )" in error
    assert "__steps__.`dsc-step`" in error


@pytest.mark.parametrize(
    "src",
    [
        "$eval('1')",
        "$random()",
        "'1' ~> $eval",
        "($f := $random; $f())",
        "$map(items, $eval)",
        "{'a': [$random()]}",
        "$eval(?)",
        "a[$random() > 0.5]",
        "a^($random())",
        "a ? $eval(b)",
        "a{b: $eval(c)}",
        "$shuffle(items)",
        "function($x) { $eval($x) }",
        "| a | {'b': $eval(c)} |",
        "a ?? $random()",
    ],
)
def test_x5_what_would_see_more_than_the_input_does_not_exist(src: str) -> None:
    error = syntax_error(src)
    assert error
    assert "does not exist here" in error


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(a)\\1", "(?<!a)b", "a{5000}", "((a{100}){100}){100}", "[", "\ud800"]
)
def test_x3_patterns_are_those_of_the_linear_engine(pattern: str) -> None:
    error = syntax_error(f"$match(a, /{pattern}]?/)" if pattern == "[" else f"$match(a, /{pattern}/)")
    assert error
    error.encode()
    assert syntax_error("$match(a, /^(a+)+$/m)") is None


@pytest.mark.parametrize(
    ("src", "message"),
    [
        ("(" * 5_000, "64 levels"),
        ("(" * 5_000 + "1" + ")" * 5_000, "64 levels"),
        ("[" * 5_000, "64 levels"),
        ("{'a':" * 3_000, "64 levels"),
        ("-" * 10_000 + "1", "64 levels"),
        ("a ? b : " * 1_500 + "c", "64 levels"),
        ("$f(" * 5_000, "64 levels"),
        ("a." * 2_000 + "a", "too complex"),
        ("1+" * 1_900 + "1", "too complex"),
        ("a" + "[1]" * 1_900, "too complex"),
        ("(" * 50 + "a" + "??b)" * 50, "too complex"),
        ("(" * 50 + "a" + "?:b)" * 50, "too complex"),
        ("[" + "1," * 8_000 + "1]", "too complex"),
        ("[a" + ",/a/" * 40 + "]", "32 regular expressions"),
        ("x" * (1 << 20), "16 KiB"),
        ("'" + "é" * 9_000 + "'", "16 KiB"),
        ("\U0010ffff" * 4_096 + "'", "16 KiB"),
    ],
)
def test_x3_a_hostile_source_is_refused_with_a_clear_error(src: str, message: str) -> None:
    error = syntax_error(src)
    assert error
    assert message in error


@pytest.mark.parametrize(
    "src", ["/**/" * 4_000 + "1", "a" + "[]" * 8_000, "(" + "a;" * 1_000 + ")", "/" + "(" * 9_000]
)
def test_x3_other_hostile_sources_are_answered(src: str) -> None:
    assert syntax_error(src) is None or syntax_error(src)


def test_the_bounds_hold_on_a_deep_stack_too() -> None:
    """The most that is allowed still parses where the caller has used a third of the stack."""
    src = "(" * 60 + " + ".join(["n"] * 100) + ")" * 60

    def deeper(levels: int) -> str | None:
        return deeper(levels - 1) if levels else syntax_error(src)

    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(deeper(300)))
    thread.start()
    thread.join()
    assert answers == [None]


@given(
    st.lists(
        st.sampled_from(
            [
                *"()[]{}.,;:?|/\\*%^&=<>!~@#$'\"`+-",
                "a",
                "1",
                " ",
                "??",
                "?:",
                ":=",
                "function",
                "\0",
                "\ud800",
            ]
        )
    )
)
def test_any_source_is_answered(pieces: list[str]) -> None:
    error = syntax_error("".join(pieces))
    if error is not None:
        error.encode()
