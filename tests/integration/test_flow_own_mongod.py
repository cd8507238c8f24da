"""Only one command: the program with its embedded replica set, and what happens when either dies."""

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.people import Chat
from tests.support.server import Server
from tests.support.waiting import eventually


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A server that started its own mongod in an empty data directory."""
    server = Server(mongo_uri=None, directory=tmp_path)
    try:
        await server.start()
        yield server
        if server.running:
            assert await server.stop() == 0
    finally:
        server.kill()
        for pid in server.mongod_pids():
            os.kill(pid, signal.SIGKILL)
    server.check_log()


async def test_first_start_stop_and_second_start(server: Server, chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "before the restart")
    assert len(server.mongod_pids()) == 1
    assert await server.stop() == 0
    assert server.mongod_pids() == []
    await server.start()
    assert (await bob.connect()).texts(room) == ["before the restart"]


async def test_only_the_owner_can_read_secrets(server: Server) -> None:
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} can be read by others"


async def test_the_server_is_killed(server: Server, chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await (await ann.connect()).say(room, "acknowledged")
    server.kill()
    await server.start()
    assert len(server.mongod_pids()) == 1
    assert (await bob.connect()).texts(room) == ["acknowledged"]


async def test_mongod_is_killed(server: Server, chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say(room, "before")
    (pid,) = server.mongod_pids()
    os.kill(pid, signal.SIGKILL)

    async def sent() -> bool:
        # What a client does: the same name again until it is acknowledged.
        with contextlib.suppress(AssertionError):
            ack = await sender.say(room, "during", client_message_id="during")
            return ack["message_id"] != ""
        await asyncio.sleep(0.2)
        return False

    await eventually(sent, within=60.0)
    await sender.say(room, "after")
    assert server.mongod_pids() != [pid]
    assert (await bob.connect()).texts(room) == ["before", "during", "after"]
