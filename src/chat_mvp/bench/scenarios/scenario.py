"""What a scenario is."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from chat_mvp.bench.options import Options
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.server import ServerUnderTest, running_server
from chat_mvp.bench.stage import Stage, set_stage


class Watch(Protocol):
    """Who is told how it goes."""

    def phase(self, what: str) -> None:
        """Something else begins."""

    def done(self, count: int) -> None:
        """So much of it is done."""


RunOnce = Callable[[Options, Watch], Awaitable[Run]]


class Scenario(Struct, frozen=True, kw_only=True):
    """Something to measure: ``figures`` says what, the most important first, and ``run`` does it once."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    run: RunOnce


@asynccontextmanager
async def fresh_directory(options: Options) -> AsyncIterator[Path]:
    """Give a data directory for one run; it goes with the run."""
    with tempfile.TemporaryDirectory(prefix="chat-mvp-bench-", dir=options.directory) as directory:
        yield Path(directory) / "data"


@asynccontextmanager
async def fresh_server(options: Options, watch: Watch) -> AsyncIterator[tuple[ServerUnderTest, Stage]]:
    """Start a server of its own for one run, with a stage to prepare it."""
    watch.phase("starting a server")
    async with fresh_directory(options) as directory, running_server(directory) as server, set_stage(server) as stage:
        yield server, stage
