"""Each example, and a server that may be killed and comes back on its port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node import node
from tests.servers import ServerProcess
from tests.workers.running import compiled, python_command


@pytest.fixture(scope="session")
def typescript_command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The TypeScript example, accepted by the compiler."""
    return [node(), str(compiled(tmp_path_factory.mktemp("worker")))]


@pytest.fixture(params=["python", pytest.param("typescript", marks=pytest.mark.node)])
def command(request: pytest.FixtureRequest) -> list[str]:
    """What runs each example in turn."""
    if request.param == "python":
        return python_command()
    found: list[str] = request.getfixturevalue("typescript_command")
    return found


@pytest.fixture
def server(served_database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with the demo templates, over each database in turn."""
    with ServerProcess("--demo", "--database", served_database_url, cwd=tmp_path) as running:
        yield running
