"""The demo templates, and loading them."""

import json
from pathlib import Path
from typing import Any

from db.commands.outcome import Actor
from db.commands.template import NewTemplate, create_workflow_template
from db.runtime.errors import ValidationFailed
from db.store import Store

KEYS = ("dsc", "incorporation", "onboarding", "verify")
"""The demo templates, each after those that it runs as children: publishing asks for them."""

_DIRECTORY = Path(__file__).parent
_DESCRIPTION = "A demo template."


def demo_definition(key: str) -> dict[str, Any]:
    """The definition of a demo template."""
    loaded: dict[str, Any] = json.loads((_DIRECTORY / f"{key}.json").read_text(encoding="utf-8"))
    return loaded


async def load_demo(store: Store) -> list[str]:
    """Publish the demo templates that are not there yet; returns the keys of those that were created."""
    return [key for key in KEYS if await _created(store, key)]


async def _created(store: Store, key: str) -> bool:
    definition = demo_definition(key)
    new = NewTemplate(
        name=definition["name"],
        key=key,
        description=_DESCRIPTION,
        definition=definition,
        publish=True,
        activate=True,
    )
    try:
        await create_workflow_template(store, Actor(), new)
    except ValidationFailed as refusal:
        if [issue.code for issue in refusal.issues] == ["KEY_TAKEN"]:
            return False
        raise
    return True
