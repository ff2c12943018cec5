"""The demo templates, and loading them."""

import json
from pathlib import Path

from db.commands.outcome import Actor
from db.commands.template import NewTemplate, create_workflow_template
from db.runtime.errors import ValidationFailed
from db.store import Store

_DIRECTORY = Path(__file__).parent
_DESCRIPTION = "A demo template."


async def load_demo(store: Store) -> list[str]:
    """Publish the demo templates that are not there yet; returns the keys of those that were created."""
    created = []
    for path in sorted(_DIRECTORY.glob("*.json")):
        definition = json.loads(path.read_text(encoding="utf-8"))
        new = NewTemplate(
            name=definition["name"],
            key=definition["id"],
            description=_DESCRIPTION,
            definition=definition,
            publish=True,
            activate=True,
        )
        if await _created(store, new):
            created.append(definition["id"])
    return created


async def _created(store: Store, new: NewTemplate) -> bool:
    try:
        await create_workflow_template(store, Actor(), new)
    except ValidationFailed as refusal:
        if [issue.code for issue in refusal.issues] == ["KEY_TAKEN"]:
            return False
        raise
    return True
