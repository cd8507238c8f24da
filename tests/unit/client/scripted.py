"""A server that does what a test tells it, over real WebSockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

EPOCH = "e" * 24
CONVERSATION = "c" * 24
USER = "a" * 24
OTHER = "b" * 24
NOW = "2026-11-21T10:00:00.000Z"

Frame = dict[str, Any]


def ready(*, recovered: bool = False, **revs: int) -> Frame:
    """Return a ``ready`` that lists conversations by name and revision."""
    return {
        "type": "ready",
        "connection_id": "d" * 24,
        "user_id": USER,
        "epoch": EPOCH,
        "server_time": NOW,
        "heartbeat_s": 30,
        "recovered": recovered,
        "queued": 0,
        "unread_notifications": 0,
        "token_expires_in": 900,
        "conversations": [state(name, rev) for name, rev in revs.items()],
        "limits": {"frame_bytes": 131072, "text_chars": 10000, "sends_per_s": None},
    }


def more_of_ready(*, more: bool = False, **revs: int) -> Frame:
    """Return another page of the conversations of ``ready``."""
    return {"type": "ready.conversations", "conversations": [state(*each) for each in revs.items()], "more": more}


def state(conversation_id: str, rev: int) -> Frame:
    marks = dict.fromkeys(["last_seq", "delivered_seq", "read_seq", "unread"], 0)
    others = {"others_delivered_seq": None, "others_read_seq": None}
    return {"id": conversation_id, "rev": rev, "updated_at": NOW, **marks, **others}


def message_new(seq: int, *, rev: int | None = None, queued: bool = False) -> Frame:
    empty = dict.fromkeys(["reply_to", "thread_root", "thread", "edited_at", "deleted_at"])
    message = {
        "id": f"{seq:024x}",
        "conversation_id": CONVERSATION,
        "seq": seq,
        "rev": seq if rev is None else rev,
        "sender_id": OTHER,
        "client_message_id": f"m-{seq}",
        "kind": "text",
        "text": f"text {seq}",
        "priority": "normal",
        "attachments": [],
        "mentions": [],
        "reactions": [],
        "pinned": False,
        "created_at": NOW,
        **empty,
    }
    return {"type": "message.new", "message": message, "queued": queued}


def ack_of(send: Frame, seq: int = 1) -> Frame:
    return {
        "type": "message.ack",
        "ref": send["ref"],
        "client_message_id": send["client_message_id"],
        "message_id": f"{seq:024x}",
        "conversation_id": CONVERSATION,
        "seq": seq,
        "rev": seq,
        "created_at": NOW,
        "status": "sent",
        "duplicate": False,
    }


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def tell(self, *frames: Frame) -> None:
        for frame in frames:
            await self.connection.send(json.dumps(frame))

    async def expect(self, type_: str) -> Frame:
        """Return the next frame of the client, which must be of this type."""
        async with asyncio.timeout(5):
            frame: Frame = json.loads(await self.connection.recv())
        assert frame["type"] == type_, f"expected {type_}: {frame}"
        return frame

    async def nothing(self, within: float = 0.25) -> None:
        """Make sure that the client says nothing for a while."""
        try:
            async with asyncio.timeout(within):
                frame = await self.connection.recv()
        except TimeoutError:
            return
        raise AssertionError(f"unexpected: {frame!r}")

    async def welcome(self, **options: Any) -> Frame:
        """Answer ``connect`` with ``ready`` and ``drained``, and return it."""
        hello = await self.expect("connect")
        await self.tell(ready(**options), {"type": "drained", "count": 0})
        return hello

    async def close(self, code: int) -> None:
        await self.connection.close(code)

    async def connection_ends(self, within: float = 5) -> None:
        """Wait until the client has closed the connection."""
        async with asyncio.timeout(within):
            await self.connection.wait_closed()

    def cut(self) -> None:
        self.connection.transport.abort()


class ScriptedServer:
    """Hands each connection to the test."""

    def __init__(self) -> None:
        self.url = ""
        self._arrived: asyncio.Queue[Peer] = asyncio.Queue()
        self._over = asyncio.Event()

    async def accept(self, within: float = 5) -> Peer:
        async with asyncio.timeout(within):
            return await self._arrived.get()

    async def handle(self, connection: ServerConnection) -> None:
        self._arrived.put_nowait(Peer(connection))
        await connection.wait_closed()


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    listening = await serve(server.handle, "127.0.0.1", 0, subprotocols=[Subprotocol("chat.v1.json")])
    async with listening:
        server.url = f"http://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}"
        yield server


class FakeAccount:
    """A signed-in account with numbered tokens."""

    is_local = True

    def __init__(self, url: str) -> None:
        self.url = url
        self.renewed = 0

    @property
    def access_token(self) -> str:
        return f"token-{self.renewed}"

    async def renew(self, spent: str) -> str:
        if spent == self.access_token:
            self.renewed += 1
        return self.access_token
