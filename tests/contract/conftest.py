"""One server for all tests here: each makes its own people, and none depends on what others have stored."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.conftest import running_server
from tests.support.server import Server


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def shared_server(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with running_server(mongo_uri, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Iterator[Server]:
    """The shared server, whose log is checked after each file."""
    yield shared_server
    shared_server.check_log()
