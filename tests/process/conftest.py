"""A server for all bad input."""

from collections.abc import Iterator

import pytest

from tests.process.quiet import quiet_server
from tests.servers import ServerProcess


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all bad input. Whatever it is sent, it writes no word, still answers, and ends as it should."""
    with quiet_server(tmp_path_factory.mktemp("server")) as running:
        yield running
