"""Real replica sets on loopback for tests: the program's own, and three nodes to be killed and hung one by one."""

import asyncio
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from chat_mvp.mongod import EmbeddedMongo, start_embedded
from chat_mvp.mongod.discover import find_mongod
from chat_mvp.mongod.initiate import ELECTION_SETTINGS
from tests.support.server import free_port

READY_WITHIN_S = 30.0


async def start_single(directory: Path) -> EmbeddedMongo:
    """Start the program's own replica set of one below ``directory``. Call ``stop()`` on what comes back."""
    return await start_embedded(directory / "mongo")


@dataclass
class Node:
    """One mongod of three."""

    index: int
    port: int
    directory: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, f"node {self.index} was never started"
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class ThreeNodes:
    """Three loopback mongods in one replica set, with the election settings of the embedded one.

    ``async with ThreeNodes(tmp_path) as nodes`` starts them, waits for a primary and two secondaries, and stops them
    at the end. ``initiate=False`` leaves three fresh mongods, as docker compose does, for the test to initiate;
    with ``key_file`` they ask for
    authentication, from this machine too. Nothing here is bound to an event loop.
    """

    def __init__(
        self, directory: Path, *, key_file: Path | None = None, initiate: bool = True, name: str = "rs"
    ) -> None:
        self.nodes = [Node(index, free_port(), directory / f"node{index}") for index in range(3)]
        self.program = Path()
        self._name = name
        self._key_file = key_file
        self._initiate = initiate

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def hosts(self) -> list[str]:
        return [node.address for node in self.nodes]

    @property
    def uri(self) -> str:
        """The address of the whole set, without credentials."""
        return f"mongodb://{','.join(self.hosts)}/?replicaSet={self._name}"

    async def start(self) -> None:
        """Start all three and, unless told otherwise, make them a replica set and wait until all of it is up."""
        try:
            self.program = (await find_mongod()).program
            for node in self.nodes:
                self._spawn(node)
            for node in self.nodes:
                await self._listening(node)
            if self._initiate:
                await self._make_set()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all three at once, hung ones too. Their data is of no further use, so they are killed."""
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
        for node in self.nodes:
            if node.process is not None:
                await asyncio.to_thread(node.process.wait, 30)

    async def primary(self) -> Node:
        """Return the node that is primary now, waiting for an election where there is none."""
        node: Node = await self._eventually(self._find_primary, "no primary was elected")
        return node

    async def primary_pid(self) -> int:
        """Return the process id of the primary."""
        return (await self.primary()).pid

    async def kill_primary(self) -> Node:
        """``kill -9`` the primary and return the node, for ``restart``."""
        node = await self.primary()
        self.kill(node)
        return node

    def kill(self, node: Node) -> None:
        """``kill -9`` one node."""
        assert node.process is not None
        node.process.kill()
        node.process.wait(30)

    async def restart(self, node: Node) -> None:
        """Start a node that was killed, on its old port and data, and wait until it is a member again."""
        assert not node.running, f"node {node.index} still runs"
        self._spawn(node)
        await self._listening(node)
        await self._eventually(lambda: self._is_member(node), f"node {node.index} did not come back")

    def stop_signal(self, node: Node) -> None:
        """Hang a node (SIGSTOP): its connections stay open and nothing answers."""
        os.kill(node.pid, signal.SIGSTOP)

    def cont(self, node: Node) -> None:
        """Let a hung node go on (SIGCONT)."""
        os.kill(node.pid, signal.SIGCONT)

    async def step_down(self, *, seconds: int = 10) -> Node:
        """Make the primary step down for ``seconds``; return the node that was primary."""
        node = await self.primary()
        command = {"replSetStepDown": seconds, "secondaryCatchUpPeriodSecs": 5}
        await asyncio.to_thread(_command, node, command, seconds=10)
        return node

    def _spawn(self, node: Node) -> None:
        (node.directory / "db").mkdir(parents=True, exist_ok=True)
        config: dict[str, Any] = {
            "net": {
                "bindIp": "127.0.0.1",
                "port": node.port,
                "unixDomainSocket": {"enabled": False},
                "compression": {"compressors": "snappy"},
            },
            "replication": {"replSetName": self._name, "oplogSizeMB": 64},
            "storage": {"dbPath": str(node.directory / "db"), "wiredTiger": {"engineConfig": {"cacheSizeGB": 0.25}}},
            "systemLog": {"destination": "file", "path": str(node.directory / "mongod.log"), "logAppend": True},
            "setParameter": {
                "transactionLifetimeLimitSeconds": 5,
                "oplogNetworkTimeoutBufferSeconds": 1,
                "minSnapshotHistoryWindowInSeconds": 0,
                "diagnosticDataCollectionEnabled": False,
                "ttlMonitorSleepSecs": 1,
            },
        }
        if self._key_file is not None:
            config["security"] = {"keyFile": str(self._key_file), "authorization": "enabled"}
            config["setParameter"]["enableLocalhostAuthBypass"] = False
        path = node.directory / "mongod.conf"
        path.write_text(json.dumps(config))
        node.process = subprocess.Popen(
            [str(self.program), "--config", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def _make_set(self) -> None:
        members = [{"_id": node.index, "host": node.address} for node in self.nodes]
        command = {"replSetInitiate": {"_id": self._name, "members": members, "settings": ELECTION_SETTINGS}}
        await asyncio.to_thread(_command, self.nodes[0], command, seconds=10)
        for node in self.nodes:
            await self._eventually(lambda node=node: self._is_member(node), f"node {node.index} did not join")
        await self.primary()

    async def _listening(self, node: Node) -> None:
        async def answers() -> bool:
            assert node.running, f"node {node.index} ended at start; its log is {node.directory / 'mongod.log'}"
            return await _hello(node) is not None

        await self._eventually(answers, f"node {node.index} does not listen")

    async def _find_primary(self) -> Node | None:
        for node in self.nodes:
            if node.running and (hello := await _hello(node)) and hello.get("isWritablePrimary"):
                return node
        return None

    @staticmethod
    async def _is_member(node: Node) -> bool:
        hello = await _hello(node)
        return hello is not None and bool(hello.get("isWritablePrimary") or hello.get("secondary"))

    @staticmethod
    async def _eventually(probe: Callable[[], Awaitable[Any]], otherwise: str) -> Any:
        deadline = time.monotonic() + READY_WITHIN_S
        while not (result := await probe()):
            assert time.monotonic() < deadline, otherwise
            await asyncio.sleep(0.05)
        return result


def make_key_file(directory: Path) -> Path:
    """Return a new key file that mongod accepts."""
    path = directory / "keyfile"
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(256))
    return path


def _command(node: Node, command: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    # The blocking client: the asynchronous one leaves a socket unclosed, which is a warning, when a node is killed
    # in the middle of its first words.
    milliseconds = int(seconds * 1000)
    with MongoClient[dict[str, Any]](
        "127.0.0.1",
        node.port,
        directConnection=True,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=milliseconds,
        serverSelectionTimeoutMS=milliseconds,
    ) as client:
        return client.admin.command(command)


async def _hello(node: Node) -> dict[str, Any] | None:
    """Return what the node says of itself, or None when it is down or hangs."""
    try:
        return await asyncio.to_thread(_command, node, {"hello": 1}, seconds=0.4)
    except PyMongoError:
        return None
