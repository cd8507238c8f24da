"""A connection without a socket, for tests of what is sent on it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from chat_mvp.codec import JSON
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.registry import Registry
from chat_mvp.realtime.session import Session


class Wire:
    """The far end of one connection; a slow one takes nothing until ``gate`` is opened."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.connection = Connection(
            connection_id="own",
            user_id="ann",
            auth_session_id="session",
            device_id=None,
            expires_at=0.0,
            codec=JSON,
            framed=False,
            send=self._send,
            session=Session(),
            close=lambda code, _: self.closed.append(code),
        )
        self.registry = Registry(lambda _: None)
        self.registry.add(self.connection)

    async def _send(self, data: Sequence[bytes]) -> None:
        await self.gate.wait()
        self.frames += [msgspec.json.decode(frame) for frame in data]

    async def sent(self) -> list[tuple[str, int]]:
        """Return the type of each frame and the ``rev`` it carries."""
        await self.connection.outbox.flush()
        return [(frame["type"], frame.get("message", {}).get("rev", 0)) for frame in self.frames]
