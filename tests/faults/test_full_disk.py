"""A disk that is full, or nearly: clear answers, nothing acknowledged is lost, recovery when there is room.

Where this user may mount a file system, a small one is filled. Everywhere, mongod is forbidden to write, so that it
ends as it does on a full disk.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from chat_mvp.mongod.running import running_uri
from tests.faults.disks import Disk, may_mount, small_disk, small_files
from tests.faults.test_outages import ANSWER_WITHIN_S, TOLD_WITHIN_S, ask, status, told
from tests.faults.topology import Single
from tests.support.http import API, expect_json, expect_problem
from tests.support.people import PASSWORD, Chat, Person, reaction_path, unique
from tests.support.server import Server
from tests.support.socket import Frame, Socket
from tests.support.waiting import eventually

NEARLY_NOTHING_BYTES = 200 * 1024 * 1024
"""Less than the 256 MiB below which nothing new is taken, and enough for mongod to go on."""
BALLAST_BYTES = 4 * 1024 * 1024
RECOVERED_WITHIN_S = 20.0
DISKS = [small_disk, small_files] if may_mount() else [small_files]


@pytest.mark.parametrize("disk", DISKS)
async def test_full_disk(tmp_path: Path, disk: Callable[[Path], AbstractContextManager[Disk]]) -> None:
    with disk(tmp_path / "data") as full:
        place = Single(tmp_path)
        try:
            await place.start()
            async with Chat(place.server) as chat:
                ann, bob = await chat.people("ann", "bob")
                room = await ann.direct(bob)
                socket = await ann.connect()
                acked = await fill_and_make_room(full, place.server, socket, room, chat, ann, bob)
                stored = {message["id"]: (message["seq"], message["text"]) for message in await ann.history(room)}
                assert stored == acked
                assert sorted(seq for seq, _ in stored.values()) == list(range(1, len(acked) + 1))
        finally:
            await place.stop()
        place.server.check_log()


async def fill_and_make_room(
    disk: Disk, server: Server, socket: Socket, room: str, chat: Chat, ann: Person, bob: Person
) -> dict[str, tuple[int, str]]:
    """Write before, during and after, and return all messages that were acknowledged: place and text by id."""
    server_pid, (mongod,) = server.pid, server.mongod_pids()
    acks = {f"before {number}": await sent(socket, room, f"before {number}") for number in range(20)}
    if disk.limits_space:
        acks |= await nearly_full(disk, server, socket, room, chat, ann, bob, acks["before 0"]["message_id"])

    disk.fill(server)
    await eventually(lambda: ends_of_writing(server, mongod), within=RECOVERED_WITHIN_S)
    names = ["during", "meanwhile"]
    answers = await asyncio.gather(
        *(ask(socket, room, name) for name in names), react(socket, acks["before 0"]["message_id"])
    )
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert all(answer["code"] == "unavailable" and answer["retry_after_ms"] > 0 for answer in refused)
    if disk.limits_space:
        assert len(refused) == len(answers)
        assert await status(server) == 503
    # The connection itself is well all the while.
    await socket.ask("ping")

    disk.make_room()
    await told(server, 200, "room was made on a full disk", within_s=RECOVERED_WITHIN_S)
    assert mongod not in server.mongod_pids()
    assert (server.pid, server.running) == (server_pid, True)
    acks |= {name: await sent(socket, room, name) for name in [*names, "after"]}
    return {ack["message_id"]: (ack["seq"], text) for text, ack in acks.items()}


async def nearly_full(
    disk: Disk, server: Server, socket: Socket, room: str, chat: Chat, ann: Person, bob: Person, message_id: str
) -> dict[str, Frame]:
    """Let the disk be nearly full for a while: nothing new is taken, the rest works. Return acks by text."""
    group = await ann.group(bob, name="before")
    disk.fill(server, leave_bytes=NEARLY_NOTHING_BYTES)
    await told(server, 503, "the disk was nearly full")
    # The server looks at the disk every two seconds only, so a few may still be taken.
    acks: dict[str, Frame] = {}
    deadline = time.monotonic() + TOLD_WITHIN_S
    while (answer := await ask(socket, room, name := f"nearly full {len(acks)}"))["type"] == "message.ack":
        acks[name] = answer
        assert time.monotonic() < deadline, "messages are taken although the disk is nearly full"
        await asyncio.sleep(0.1)
    assert answer["code"] == "unavailable"
    assert answer["retry_after_ms"] > 0
    assert (await react(socket, message_id)).get("code") == "unavailable"
    await nothing_new(chat, ann, bob, room, message_id)
    await the_rest(ann, bob, room, group)
    disk.make_room()
    await told(server, 200, "room was made on a disk that was nearly full")
    return acks | {name: await sent(socket, room, name)}


async def nothing_new(chat: Chat, ann: Person, bob: Person, room: str, message_id: str) -> None:
    """Whatever makes the database grow is refused, with a clear sentence."""
    account = {"username": unique("eve"), "email": "eve@example.org", "password": PASSWORD}
    refused = [
        await chat.http.post(f"{API}/auth/register", json=account),
        await ann.post("/conversations", kind="group", name="new", member_ids=[bob.id]),
        await ann.post(f"/conversations/{room}/messages", text="new", client_message_id="new"),
        await ann.patch(f"/messages/{message_id}", text="longer than before"),
        await ann.patch(f"/conversations/{room}/me", draft="not sent yet"),
        await ann.patch("/users/me", bio="something about me"),
        await ann.put(f"/contacts/{bob.id}"),
        await ann.put(reaction_path(message_id, "👍")),
    ]
    for response in refused:
        problem = expect_problem(response, 503, "unavailable")
        assert "disk is nearly full" in problem["detail"]
        assert int(response.headers["retry-after"]) > 0


async def the_rest(ann: Person, bob: Person, room: str, group: str) -> None:
    """Reading, signing in, confirming, blocking and deleting still work."""
    again = await bob.sign_in_again()
    reader = await again.connect()
    assert len(await again.history(room)) >= 20
    await reader.tell("read", conversation_id=room, seq=20)
    expect_json(await ann.patch(f"/conversations/{room}/me", muted_until=None))
    await ann.block(bob)
    await ann.unblock(bob)
    assert (await bob.delete(f"/conversations/{group}/members/{bob.id}")).status_code == httpx.codes.NO_CONTENT
    assert (await ann.delete(f"/conversations/{group}")).status_code == httpx.codes.NO_CONTENT


async def sent(socket: Socket, room: str, name: str) -> Frame:
    """Send until it is acknowledged, and return the ack."""
    ack: Frame = await eventually(
        lambda: ask(socket, room, name), lambda answer: answer["type"] == "message.ack", within=RECOVERED_WITHIN_S
    )
    return ack


async def react(socket: Socket, message_id: str) -> Frame:
    """Ask for a reaction and return the answer, whatever it is."""
    ref = f"reaction at {time.monotonic()}"
    await socket.send("reaction.add", message_id=message_id, emoji="👍", ref=ref)
    return await socket.find(lambda frame: frame.get("ref") == ref, "an answer", within=ANSWER_WITHIN_S)


async def ends_of_writing(server: Server, mongod: int) -> bool:
    """Have mongod write, and tell whether it has ended of that."""
    if mongod in server.mongod_pids():
        await asyncio.to_thread(write_down, server)
    return mongod not in server.mongod_pids()


def write_down(server: Server) -> None:
    """Have mongod write to its files now, instead of within a minute: what it holds, and more than fits anywhere."""
    uri = running_uri(server.data_dir)
    assert uri is not None
    with (
        MongoClient[dict[str, object]](uri, serverSelectionTimeoutMS=3_000, socketTimeoutMS=5_000) as client,
        contextlib.suppress(PyMongoError),
    ):
        client["ballast"]["documents"].insert_one({"bytes": os.urandom(BALLAST_BYTES)})
        client.admin.command("fsync")
