"""A running server with its database, and methods that break them. Every method except ``hang`` also repairs it."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Protocol

from pymongo.errors import ExecutionTimeout

from chat_mvp.mongod.running import running_uri
from tests.support.replset import ThreeNodes
from tests.support.server import Server

RESTART_WITHIN_S = 60.0
STEP_DOWN_S = 6
"""How long the old primary may not be elected again; longer than the 5 s in which another has to catch up."""
STOPPED_S = (0.05, 0.4)
RUNNING_S = 0.05
"""A slow process is stopped for so long again and again, and runs for so long in between."""

Harm = Callable[[float], Awaitable[None]]
"""Does one kind of harm; ``seconds`` is how long a hang lasts, other kinds make no use of it."""


class Topology(Protocol):
    """What a run does its harm to."""

    server: Server

    @property
    def harms(self) -> Mapping[str, Harm]:
        """The kinds of harm this topology knows, by the name they have in the report."""
        ...

    async def start(self) -> None:
        """Start the database and the server."""
        ...

    async def stop(self) -> None:
        """End everything that was started."""
        ...

    def mongo_uri(self) -> str | None:
        """Return the address of the database, or ``None`` while it is away."""
        ...


class _WithServer:
    """What can be done to the server, whatever database it has."""

    server: Server

    async def kill_server(self, seconds: float) -> None:
        self.server.kill()
        await self._start_again()

    async def stop_server(self, seconds: float) -> None:
        if self.server.running:
            await self.server.stop()
        await self._start_again()

    async def hang_server(self, seconds: float) -> None:
        await hang(self.server.pid, seconds)

    async def _start_again(self) -> None:
        """Start the server as a supervisor would: again when it ends because its database is away."""
        async with asyncio.timeout(RESTART_WITHIN_S):
            while True:
                try:
                    await self.server.start()
                except AssertionError:
                    await asyncio.sleep(0.5)
                else:
                    return


class Single(_WithServer):
    """The program with the replica set of one that it brings itself."""

    def __init__(self, directory: Path) -> None:
        self.server = Server(mongo_uri=None, directory=directory)

    @property
    def harms(self) -> Mapping[str, Harm]:
        return {
            "kill -9 of the server": self.kill_server,
            "clean stop of the server": self.stop_server,
            "hang of the server": self.hang_server,
            "kill -9 of mongod": self.kill_mongod,
            "hang of mongod": self.hang_mongod,
            "slow mongod": self.slow_mongod,
        }

    async def start(self) -> None:
        await self.server.start()

    async def stop(self) -> None:
        pids = self.server.mongod_pids()
        try:
            if self.server.running:
                await self.server.stop()
        finally:
            self.server.kill()
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def mongo_uri(self) -> str | None:
        return running_uri(self.server.data_dir)

    async def kill_mongod(self, seconds: float) -> None:
        for pid in self.server.mongod_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    async def hang_mongod(self, seconds: float) -> None:
        for pid in self.server.mongod_pids():
            await hang(pid, seconds)

    async def slow_mongod(self, seconds: float) -> None:
        for pid in self.server.mongod_pids():
            await slow_down(pid, seconds)


class Three(_WithServer):
    """The program with a replica set of three on loopback."""

    def __init__(self, directory: Path) -> None:
        self.nodes = ThreeNodes(directory / "nodes")
        self.server = Server(mongo_uri=self.nodes.uri, directory=directory)

    @property
    def harms(self) -> Mapping[str, Harm]:
        return {
            "kill -9 of the server": self.kill_server,
            "hang of the server": self.hang_server,
            "kill -9 of the primary": self.kill_primary,
            "hang of the primary": self.hang_primary,
            "slow primary": self.slow_primary,
            "step down": self.step_down,
            "kill -9 of a secondary": self.kill_secondary,
        }

    async def start(self) -> None:
        await self.nodes.start()
        await self.server.start()

    async def stop(self) -> None:
        try:
            if self.server.running:
                await self.server.stop()
        finally:
            self.server.kill()
            await self.nodes.stop()

    def mongo_uri(self) -> str | None:
        return self.nodes.uri

    async def kill_primary(self, seconds: float) -> None:
        node = await self.nodes.kill_primary()
        await asyncio.sleep(seconds)
        await self.nodes.restart(node)

    async def kill_secondary(self, seconds: float) -> None:
        primary = await self.nodes.primary()
        node = self.nodes.nodes[primary.index - 1]
        self.nodes.kill(node)
        await asyncio.sleep(seconds)
        await self.nodes.restart(node)

    async def hang_primary(self, seconds: float) -> None:
        await hang(await self.nodes.primary_pid(), seconds)

    async def slow_primary(self, seconds: float) -> None:
        await slow_down(await self.nodes.primary_pid(), seconds)

    async def step_down(self, seconds: float) -> None:
        with contextlib.suppress(ExecutionTimeout):
            # Refused while no other node is near enough to take over.
            await self.nodes.step_down(seconds=STEP_DOWN_S)


TOPOLOGIES: dict[str, Callable[[Path], Topology]] = {"single": Single, "three": Three}


async def slow_down(pid: int, seconds: float) -> None:
    """Let a process run for a moment now and then only, as on a machine or a disk that is overloaded."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await hang(pid, random.uniform(*STOPPED_S))
        await asyncio.sleep(RUNNING_S)


async def hang(pid: int, seconds: float) -> None:
    """SIGSTOP, and SIGCONT after a while, whatever happens meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
