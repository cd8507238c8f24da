"""The server under test: the real program, started as a user starts it, with its own MongoDB and directory."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from msgspec import Struct

from chat_mvp.child import child_server

# Limits protect a server from its users. The benchmark measures what it can do without them. Tokens outlive every run.
_SETTINGS = {"RATE_LIMITS": "off", "LOG_LEVEL": "warning", "ACCESS_TOKEN_MINUTES": "1440"}


class Usage(Struct, kw_only=True, frozen=True):
    """The resources that the server and its mongod have used: CPU seconds in total, and current memory in bytes."""

    server_cpu_s: float
    server_rss: int
    mongod_cpu_s: float
    mongod_rss: int


class ServerUnderTest:
    """A running server."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, data_dir: Path, start_s: float) -> None:
        """Use this process, which took ``start_s`` seconds to be ready."""
        self.url = url
        self.data_dir = data_dir
        self.start_s = start_s
        self.process = process
        self._server = psutil.Process(process.pid)
        self._mongod = next(it for it in self._server.children(recursive=True) if it.name().startswith("mongod"))

    @property
    def websocket_url(self) -> str:
        """Return the URL to which clients connect."""
        return self.url.replace("http", "ws", 1) + "/ws"

    @property
    def pids(self) -> tuple[int, int]:
        """Return the process ids of the server and mongod."""
        return self._server.pid, self._mongod.pid

    def usage(self) -> Usage:
        """Read the clocks."""
        return Usage(
            server_cpu_s=_cpu_s(self._server),
            server_rss=self._server.memory_info().rss,
            mongod_cpu_s=_cpu_s(self._mongod),
            mongod_rss=self._mongod.memory_info().rss,
        )


@asynccontextmanager
async def running_server(data_dir: Path) -> AsyncIterator[ServerUnderTest]:
    """Run a server on ``data_dir``, without this machine's settings, until the end of the block."""
    began = time.monotonic()
    async with child_server(data_dir, _SETTINGS) as child:
        yield ServerUnderTest(child.process, child.url, data_dir, time.monotonic() - began)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
