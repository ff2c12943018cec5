"""Arguments checked against a function's signature, within bounds."""

import re
from typing import Any

from db.runtime.expressions.meter import Meter

TYPED_ITEM = 8
"""Work of an item of an array whose signature says of what: the library looks at each."""


def validated(signature: Any, args: list[Any], context: Any, meter: Meter) -> Any:
    """The arguments as the function takes them: the context for one that is missing, an array for a single item."""
    typed = any(param.subtype for param in signature._params)
    meter.charge(sum(len(arg) for arg in args if isinstance(arg, list)) * (TYPED_ITEM if typed else 1))
    return signature.validate(args, _cut(signature, context))


def _cut(signature: Any, context: Any) -> Any:
    """The context that a function takes in place of an argument. If it does not fit, the library writes all of it
    into its error, however long it is: it gets an empty one of the same type.
    """
    if not isinstance(context, list | dict):
        return context
    symbol = signature.get_symbol(context)
    takes = any(param.context and re.fullmatch(param.regex, symbol) for param in signature._params)
    return context if takes else type(context)()
