"""Random texts and JSON, of the kinds that go wrong somewhere."""

from random import Random
from typing import Any

WORDS = (
    "alpha",
    "Ünïcødé – 名前",
    'quo"te',
    "it's",
    "back\\slash",
    "line\nbreak",
    "🧭 emoji",
    "<b>&amp;",
    "%_",
    "⟦0⟧ ⟪0⟫",
)
NUMBERS = (0, 1, -1, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, 1.0, -0.0, 1e21, 1e-7, 1.5e300, 0.1)
KEYS = ("a", "b", "", "ключ", "with space", 'q"uote', "$ref", "a.b", "0", "__proto__")


def random_context(random: Random) -> dict[str, Any]:
    """What policies and batches read (`on`, `items`), among whatever JSON admits."""
    read = {
        "on": random.random() < 0.7,
        "items": [random_json(random, 2) for _ in range(random.randint(0, 3))],
    }
    return random_object(random, 3) | {key: value for key, value in read.items() if random.random() < 0.8}


def random_object(random: Random, depth: int) -> dict[str, Any]:
    """A JSON object with whatever JSON admits."""
    return {key: random_json(random, depth - 1) for key in random.sample(KEYS, random.randint(0, 3))}


def random_json(random: Random, depth: int) -> Any:
    """A JSON value."""
    if depth > 0 and random.random() < 0.5:
        if random.random() < 0.5:
            return random_object(random, depth)
        return [random_json(random, depth - 1) for _ in range(random.randint(0, 3))]
    return random.choice((None, None, True, False, "", *WORDS, *NUMBERS))


def some(random: Random, **given: Any) -> dict[str, Any]:
    """A few of these members."""
    return {key: value for key, value in given.items() if random.random() < 0.4}
