"""The demo templates: all are loaded, once, whatever is there already."""

from pathlib import Path

import server.demo
from db.connect import database_for
from db.migrate import migrate
from db.store import Store
from server.demo import KEYS, load_demo
from tests.api import Api
from tests.contract.samples import ONE

ACTIVE = "{ workflowTemplates { nodes { key activeVersion { status } versions { totalCount } } } }"


def test_every_definition_of_the_demo_is_one_of_its_keys() -> None:
    directory = Path(server.demo.__file__).parent
    assert sorted(path.stem for path in directory.glob("*.json")) == sorted(KEYS)


async def test_the_demo_is_loaded_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"
    await migrate(url)
    async with database_for(url) as database:
        store = Store(database)
        assert await load_demo(store) == list(KEYS)
        assert await load_demo(store) == []
        nodes = (await Api(store, "default").data(ACTIVE))["workflowTemplates"]["nodes"]
    expected = [
        {"key": key, "activeVersion": {"status": "PUBLISHED"}, "versions": {"totalCount": 1}} for key in KEYS
    ]
    assert nodes == expected[::-1]


async def test_a_template_that_is_there_stays_and_the_others_come(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'demo.db'}"
    await migrate(url)
    async with database_for(url) as database:
        store = Store(database)
        await Api(store, "default").publish(ONE, key="dsc")
        assert await load_demo(store) == [key for key in KEYS if key != "dsc"]
