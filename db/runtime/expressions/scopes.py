"""Variables of an evaluation: scopes in scopes, the built-in functions at the root."""

from collections.abc import Callable
from typing import Any

from jsonata.jsonata import Jsonata


class Scope(Jsonata.Frame):  # type: ignore[misc]  # the library has no type information
    """The library's frame without its traps: its `lookup` recurses, its `bind` renames functions that are shared."""

    def bind(self, name: str, val: Any) -> None:
        self.bindings[name] = val

    def lookup(self, name: str) -> Any:
        scope = self
        while name not in scope.bindings:
            if scope.parent is None:
                return scope.at_root(name)
            scope = scope.parent
        return scope.bindings[name]

    def at_root(self, name: str) -> Any:
        """What a name that is bound nowhere stands for: nothing."""


class RootScope(Scope):
    """Makes a built-in function when it is first named."""

    def __init__(self, builtin: Callable[[str], Any]) -> None:
        super().__init__(None)
        self._builtin = builtin

    def at_root(self, name: str) -> Any:
        made = self._builtin(name)
        if made is not None:
            self.bindings[name] = made
        return made
