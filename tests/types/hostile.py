"""A definition whose author tries to get out of every comment, text and name that is printed of it."""

import json
from typing import Any

CODE = "ESCAPED"
"""What must never stand outside of a text or a comment."""

NAMES = (
    f"*/ {CODE}(); /*",
    f"'; {CODE}(); '",
    f'"; {CODE}(); "',
    f'"""\n{CODE}()\n"""',
    f"\\\n{CODE}()",
    f"`${{{CODE}()}}`",
    f"\u2028{CODE}()",
    f"x: string }} {CODE}(); interface Y {{",
    f"{CODE}: str = {CODE}()\n    y",
    "[k: string]",
    "",
    "$ref",
    "__proto__",
    "constructor",
    "__class__",
    "__init__",
    "__annotations__",
    "_private",
    "model_config",
    "model_fields",
    "root",
    "json",
    "class",
    "None",
    "list",
    "dict",
    "str",
    "bool",
    "Field",
    "Literal",
    "Annotated",
    "BaseModel",
    "StrictStr",
    "StrictBool",
    "Context",
    "EvilOutput",
    "description",
    "properties",
    "enum",
    "required",
    "definitions",
    "имя",
)

# What the two generators obey beside JSON Schema's own keywords, and what only readers of comments see.
_ORDERS: dict[str, Any] = {
    "tsType": f"{CODE}",
    "tsEnumNames": [CODE],
    "customTypePath": f"os.{CODE}",
    "customBasePath": f"os.{CODE}",
    "x-python-type": f"os.{CODE}",
    "x-python-import": {"module": "os", "name": CODE},
    "x-enum-varnames": [CODE],
    "extends": {"title": CODE},
    "title": f"x {{}} {CODE}() //",
    "$comment": f"*/ {CODE}() /*",
    "description": f"*/ {CODE}(); /* \"\"\" \n{CODE}() ''' \\",
    "default": f"{CODE}()",
    "examples": [f"*/ {CODE}()"],
    "format": f"{CODE}",
}


def hostile_schema() -> dict[str, Any]:
    """An object with a property of every name, as a text, as a list, and as an object."""
    text = {"$ref": "#/$defs/text"}
    below = {"type": "object", "properties": dict.fromkeys(NAMES, text), **_ORDERS}
    schema = {
        **_ORDERS,
        "type": "object",
        "properties": {
            **{name: {"type": "array", "items": text} for name in NAMES},
            "below": below,
            "chosen": {"enum": [*NAMES, None, 1, True], **_ORDERS},
            "named": {"$ref": f"#/$defs/{CODE}%20%22"},
            "text": {"type": "string", **_ORDERS},
            "pattern": {"type": "string", "pattern": f"^'\"{CODE}\\(\\)$", **_ORDERS},
        },
        "patternProperties": {f"x*/ {CODE}": text},
        "$defs": {f'{CODE} "': below, "text": {"type": "string", **_ORDERS}},
    }
    # As from a database: no part of it is another part.
    copied: dict[str, Any] = json.loads(json.dumps(schema))
    return copied


def hostile_definition() -> dict[str, Any]:
    """Two steps with the hostile schema, and the context too."""
    return {
        "id": "hostile",
        "name": f"*/ {CODE}()",
        "contextSchema": hostile_schema(),
        "steps": [
            {"id": "start", "type": "start", "name": "Start"},
            {"id": "evil", "type": "sys.task", "name": f"*/ {CODE}()", "outputSchema": hostile_schema()},
            {"id": "end", "type": "end", "name": "End"},
        ],
        "stepTransitions": [
            {"id": "t1", "fromStepId": "start", "toStepId": "evil"},
            {"id": "t2", "fromStepId": "evil", "toStepId": "end"},
        ],
    }
