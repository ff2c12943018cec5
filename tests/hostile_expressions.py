"""Expressions that are meant to hurt: each is short, and without bounds takes seconds, gigabytes or for ever.

`CONTEXT` is what they run over.
"""

CONTEXT = {
    "company": {"type": "llp"},
    "numbers": list(range(9_000)),
    "text": "ab " * 100_000,
    "people": [{"id": number, "name": "x" * 20} for number in range(2_000)],
}

RECURSING = "$f := function($x, $n) {{ $n = 0 ? $x : $f({step}, $n - 1) }}"


def doubled(step: str, use: str) -> str:
    """A value that doubles sixty times, and what is done with it."""
    return f"({RECURSING.format(step=step)}; $v := $f({{'a': 1}}, 60); {use})"


SHARED = "{'a': $x, 'b': $x}"
NESTED = "[[$x], [$x]]"

HOSTILE = [
    # what the issue names
    "$contains($substring(__context__.text, 0, 100000), /(.{1,100}){1,9}z/)",
    "($f := function($x) { $f($x) }; $f(1))",
    "($f := function($x) { 1 + $f($x) }; $f(1))",
    "$pad('x', 1000000000)",
    "[1..10000000]",
    "$sum([1..10000000])",
    "$sum([1..99999])",
    "($f := function($x, $n) { $n = 0 ? $x : $f($x & $x, $n - 1) }; $f('ab', 60))",
    # values that are small in memory and endless to go through
    doubled(SHARED, "$v"),
    doubled(SHARED, "$string($v)"),
    doubled(SHARED, "'' & $v"),
    doubled(SHARED, "$v = $f({'a': 1}, 60)"),
    doubled(SHARED, "$v in [$f({'a': 1}, 60)]"),
    doubled(SHARED, "$distinct([$v, $v])"),
    doubled(SHARED, "$clone($v)"),
    doubled(SHARED, "$v.**"),
    doubled(SHARED, "$v ~> |**|{'c': 1}|"),
    doubled(NESTED, "$boolean($f(0, 60))"),
    doubled(NESTED, "$f(0, 60) ? 1 : 2"),
    doubled(NESTED, "$v.name"),
    doubled(NESTED, "$lookup($v, 'name')"),
    doubled(NESTED, "$keys($v)"),
    doubled(NESTED, "$spread($v)"),
    doubled(NESTED, "{'k': $v}.*"),
    # products of large lists
    "__context__.numbers.($$.__context__.numbers)",
    "__context__.numbers@$a.($$.__context__.numbers)@$b",
    "$map(__context__.numbers, function($x) { __context__.numbers })",
    "$map(__context__.numbers, function($x) { $append(__context__.numbers, $x) })",
    "$reduce(__context__.numbers, function($a, $x) { $append($a, __context__.numbers) })",
    "__context__.numbers[__context__.numbers]",
    "__context__.numbers^($string($))",
    "$sort(__context__.numbers, function($a, $b) { $string($a) < $string($b) })",
    "__context__.people{$string(id): $$.__context__.people}",
    # long texts
    "$replace(__context__.text, 'a', $pad('', 1000, 'b'))",
    "$replace(__context__.text, /(.*)/, $pad('', 1000, '$1'))",
    "$split(__context__.text, '')",
    "$match(__context__.text, /a[^z]*z|a/)",
    "$match(__context__.text, /./)",
    "$join($map([1..5000], function($i) { 'x' }), __context__.text)",
    "$map([1..5000], function($i) { $uppercase(__context__.text) & $i })",
    "$encodeUrl(__context__.text & __context__.text & __context__.text)",
    # pictures, which the library makes regular expressions and widths of
    "$fromMillis(0, '[Y,1000000000]')",
    "$now('[M,999999999]')",
    "$formatNumber(12, $pad('', 100000, '#'))",
    "$formatInteger(1e300, 'w')",
    "$formatInteger(1e14, 'I')",
    "$parseInteger($pad('', 1000000, 'z'), 'a')",
    # recursion by other ways
    "($f := function($x) { $map([$x], $f) }; $f(1))",
    "($y := function($f) { $f($f) }; $y($y))",
    "($f := function($x) { [$f($x), $f($x)] }; $f(1))",
    "($g := $f := function($x) { $g($x) ~> $f }; 1 ~> $f)",
    "($f := function($x) { $f(function() { $x }) }; $f(1))",
    "$reduce([1..5000], function($a, $x) { [[$a]] })",
    "$string($reduce([1..5000], function($a, $x) { [[$a]] }))",
]

# The library writes the value into its message.
WRONG = [
    doubled(SHARED, "{$v: 1}"),
    doubled(SHARED, "$v.$substring(1, 2)"),
    doubled(SHARED, "$v + 1"),
    doubled(SHARED, "-$v"),
    doubled(SHARED, "$v < 1"),
    doubled(SHARED, "[$v, 1]^($)"),
    doubled(SHARED, "$sort([$v, 1])"),
    doubled(SHARED, "$v ~> $v"),
    doubled(SHARED, "{'a': 1} ~> |$|$v.a.a.a.a.b|"),
    doubled(SHARED, "$error($v)"),
    doubled(SHARED, "$contains('a', $v)"),
]
