"""The type of a scenario."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from chat_mvp.bench.generator import BenchmarkError
from chat_mvp.bench.machine import open_files_allowed
from chat_mvp.bench.options import Options
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.server import ServerUnderTest, running_server
from chat_mvp.bench.stage import Stage, set_stage


class Watch(Protocol):
    """Is notified of the progress."""

    def phase(self, what: str) -> None:
        """Note that another phase begins."""

    def done(self, count: int) -> None:
        """Note that ``count`` of the phase is done."""


SPARE_FILES = 300
"""Files that the server and the load generator open besides connections."""

RunOnce = Callable[[Options, Watch], Awaitable[Run]]


class Scenario(Struct, frozen=True, kw_only=True):
    """A measurement: ``figures`` describes the results, the most important first, and ``run`` does it once."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    run: RunOnce


def check_open_files(connections: int, option: str) -> None:
    """Raise ``BenchmarkError`` if this system does not allow so many connections. ``option`` is what changes them."""
    allowed = open_files_allowed()
    if allowed < connections + SPARE_FILES:
        raise BenchmarkError(
            f"{connections} connections need as many open files, and this system allows {allowed}: "
            f"raise the limit (ulimit -n) or choose fewer with {option}"
        )


@asynccontextmanager
async def fresh_directory(options: Options) -> AsyncIterator[Path]:
    """Create a data directory for one run, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="chat-mvp-bench-", dir=options.directory) as directory:
        yield Path(directory) / "data"


@asynccontextmanager
async def fresh_server(options: Options, watch: Watch) -> AsyncIterator[tuple[ServerUnderTest, Stage]]:
    """Start a separate server for one run, with a stage to prepare it."""
    watch.phase("starting a server")
    async with fresh_directory(options) as directory, running_server(directory) as server, set_stage(server) as stage:
        yield server, stage
