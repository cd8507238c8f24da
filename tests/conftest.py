"""Fixtures for tests that talk to the real program over the network.

One mongod for the session, one server for each test module with a database of its own (tests/contract/ has one for
all), and for tests that kill a server or need settings, servers of their own through ``launch``.
"""

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog

from tests.support.mongo import MongoThread
from tests.support.people import Chat
from tests.support.server import QUICK_HASHES, Server

pytest_plugins = ("tests.plugins.no_silent_skips",)

Launch = Callable[..., Awaitable[Chat]]


SERVERS = pytest.StashKey[list[Server]]()
"""The servers a test used, so that their logs can be shown when it fails."""


def pytest_configure() -> None:
    """Let Ctrl-C mean something to the processes that tests start, and log plainly.

    A shell's background jobs are born to ignore Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The default shows the variables of each frame of a traceback, which takes seconds on a busy machine.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a replica set that lives as long as the session."""
    mongo = MongoThread(tmp_path_factory.mktemp("mongo"))
    try:
        yield mongo.start()
    finally:
        mongo.stop()


@asynccontextmanager
async def running_server(mongo_uri: str, directory: Path) -> AsyncIterator[Server]:
    """Start a server with cheap password hashes, stop it at the end, and check its log."""
    server = Server(mongo_uri=mongo_uri, directory=directory, module=QUICK_HASHES)
    try:
        await server.start()
        yield server
        assert await server.stop() == 0
    finally:
        server.kill()
    server.check_log()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A running server that the tests of one module share; each makes its own people there."""
    async with running_server(mongo_uri, tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
async def chat(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Chat]:
    """The shared server as this test sees it."""
    request.node.stash[SERVERS] = [server]
    async with Chat(server) as chat:
        yield chat


@pytest.fixture
async def launch(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Launch]:
    """Start a server for one test only: ``chat = await launch(ACCESS_TOKEN_MINUTES="1")``.

    It uses the session's replica set, or another when the URI of one comes first. Its password hashes are cheap, except
    with ``module=PROGRAM``.
    """
    servers = request.node.stash[SERVERS] = []
    async with AsyncExitStack() as stack:

        async def start(uri: str = mongo_uri, /, *, module: str = QUICK_HASHES, **settings: str) -> Chat:
            directory = tmp_path_factory.mktemp("server")
            server = Server(mongo_uri=uri, directory=directory, settings=settings, module=module)
            servers.append(server)
            stack.callback(server.check_log)
            stack.callback(server.kill)
            await server.start()
            return await stack.enter_async_context(Chat(server))

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show the end of the servers' logs beside a failure."""
    report = yield
    if report.failed:
        for server in item.stash.get(SERVERS, []):
            report.sections.append((f"the log of the server on port {server.port}, its end", server.log_tail))
    return report
