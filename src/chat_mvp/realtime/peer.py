"""The peer of a WebSocket, with what this program's own WebSocket protocol adds to ASGI, if it is used."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from chat_mvp.codec import Codec
from chat_mvp.realtime.outbox import SendNow
from chat_mvp.realtime.wire import WIRE

_Result = TypeVar("_Result")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Peer:
    """The peer of one accepted WebSocket."""

    __slots__ = ("_abort", "_is_gone", "_receive", "_send", "_when_gone", "_write", "codec", "framed", "send_now")

    def __init__(self, scope: Scope, receive: Receive, send: Send, codec: Codec) -> None:
        """Use the server's own way of writing frames if it has one."""
        wire = scope.get("extensions", {}).get(WIRE, {})
        self._receive = receive
        self._send = send
        self._write: Callable[[Sequence[bytes]], Awaitable[None]] | None = wire.get("write")
        self.send_now: SendNow | None = wire.get("write_now")
        """Like ``send``, without waiting. Returns false when nothing was sent, because the peer does not read."""
        self._abort: Callable[[], None] | None = wire.get("abort")
        self._is_gone: Callable[[], bool] = wire.get("is_gone", _never)
        self._when_gone: Callable[[Callable[[], object] | None], None] = wire.get("when_gone", _ignore)
        self.codec = codec
        self.framed = self._write is not None

    async def receive(self) -> bytes | str | None:
        """Return the next frame's payload, as text or bytes as it was received, or ``None`` at the end."""
        event = await self._receive()
        if event["type"] != "websocket.receive":
            return None
        text: str | None = event.get("text")
        data: bytes | str = text if text is not None else event["bytes"]
        return data

    async def send(self, frames: Sequence[bytes]) -> None:
        """Send frames, complete ones if ``framed``. Waits for a slow reader. ``OSError`` when the peer is gone."""
        if self._write is not None:
            await self._write(frames)
            return
        for data in frames:
            if self.codec.binary:
                await self._send({"type": "websocket.send", "bytes": data})
            else:
                await self._send({"type": "websocket.send", "text": data.decode()})

    async def close(self, code: int, reason: str) -> None:
        """Send the close frame. May wait for a slow reader."""
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    @property
    def is_gone(self) -> bool:
        """Return whether the peer has disconnected, if the server can tell before its frames are read."""
        return self._is_gone()

    async def unless_gone(self, work: Coroutine[Any, Any, _Result]) -> _Result | None:
        """Return the result of ``work``, or ``None`` if the peer disconnects first. Then the work is cancelled."""
        if self.is_gone:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._when_gone(task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            if not self._is_gone():
                raise
            return None
        finally:
            self._when_gone(None)

    def abort(self) -> None:
        """Drop the connection with its unsent bytes, if the server supports that."""
        if self._abort is not None:
            self._abort()


def _never() -> bool:
    return False


def _ignore(_: object) -> None:
    """Do nothing: the server does not tell when a connection ends."""
