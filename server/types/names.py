"""Names of types: valid in TypeScript and Python alike, each handed out once."""

import re

from slugify import slugify

_LONGEST = 80
_AFTER_DIGIT = re.compile(r"(?<=\d)[a-z]")


class Names:
    """The names that are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """This name, or the first of it with a number from 2 that is free."""
        number, name = 1, wanted
        while name in self._taken:
            number += 1
            name = f"{wanted}{number}"
        self._taken.add(name)
        return name


def joined(*texts: str) -> str:
    """One name in PascalCase of an identifier and any texts: `("Context", "home-address")` is `ContextHomeAddress`.

    Both generators leave such a name as it is: letters and digits, a capital first and after each digit.
    """
    words = "".join(_pascal(text) for text in texts)[:_LONGEST]
    return words if words[:1].isalpha() else f"Step{words}"


def _pascal(text: str) -> str:
    words = slugify(text, separator=" ", lowercase=False).split()
    return _AFTER_DIGIT.sub(
        lambda found: found[0].upper(), "".join(word[0].upper() + word[1:] for word in words)
    )
