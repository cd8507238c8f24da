"""Uvicorn's WebSocket protocol, with what it lacks: an end for dead peers, and frames written as they stand."""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from chat_mvp.addresses import believe_proxies
from chat_mvp.realtime.inbox import Inbox

WIRE = "chat_mvp.wire"
"""ASGI extension of a WebSocket scope: ``{"abort": callable, "write": coroutine function, "write_now": callable}``.

``abort()`` drops the connection at once, unsent bytes included. ``write(frames)`` sends complete, unmasked frames in
one piece and waits while the peer does not read; ``write_now(frames)`` does not wait. Under another server the
extension is missing and plain ASGI serves.
"""
READ_AHEAD = 64
"""Messages of one connection that may wait to be handled before no more is read from it.

Uvicorn stops reading after every single one, which costs two system calls for each.
"""
LARGE_MESSAGE = 8 * 1024
"""After a message of so many bytes nothing more is read until it was handled: 64 large ones would be 8 MiB."""
LAST_WORDS_S = 2.0
"""How long a close frame may try to reach a peer that does not answer."""


class ChatWebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket. A peer that is gone or does not read holds nothing of ours for longer than ``LAST_WORDS_S``.

    Uvicorn closes such a connection politely, which waits for the peer to take what is still unsent: with a dead one,
    until the operating system gives up after minutes.
    """

    def __init__(self, *args: Any, trusted_proxies: int = 0, **options: Any) -> None:
        """Take what uvicorn hands to every protocol; see ``believe_proxies`` for ``trusted_proxies``."""
        super().__init__(*args, **options)
        self._trusted_proxies = trusted_proxies
        self.close_timeout = LAST_WORDS_S
        self.queue: Any = Inbox()

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake, and give the application the extension."""
        super().handle_connect(event)
        if self.handshake_initiated and not self.close_sent:
            believe_proxies(self.scope, self._trusted_proxies)  # type: ignore[arg-type]
            self.scope["extensions"][WIRE] = {
                "abort": self.transport.abort,
                "write": self.write,
                "write_now": self.write_now,
            }

    def send_receive_event_to_app(self) -> None:
        """Hand a message on, and read on until ``READ_AHEAD`` of them wait."""
        was_paused = self.read_paused
        is_large = sum(map(len, self.frames)) >= LARGE_MESSAGE
        # Otherwise uvicorn would stop reading here.
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and (is_large or len(self.queue) >= READ_AHEAD):
            self.read_paused = True
            self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        """Send an event; once the handshake is over, forget what was said in it, some 4 KB for each connection."""
        await super().send(message)
        if message["type"] == "websocket.accept":
            del self.request, self.response
            self.scope["headers"] = []

    async def write(self, frames: Sequence[bytes]) -> None:
        """Send complete frames in one piece; raises ``ClientDisconnected`` (an ``OSError``) when the peer is gone.

        A frame for many people is put together once for all of them. That is possible because the server never masks
        and no compression is agreed on.
        """
        while not self.write_now(frames):
            await self.writable.wait()

    def write_now(self, frames: Sequence[bytes]) -> bool:
        """Send complete frames in one piece, or return false, and send nothing, while the peer does not read.

        Raises ``ClientDisconnected`` (an ``OSError``) when it is gone.
        """
        if self.disconnected:
            raise ClientDisconnected
        if not self.writable.is_set():
            return False
        if not self.close_sent:
            self.transport.write(b"".join(frames))
        return True

    def keepalive_timeout(self) -> None:
        """End a connection whose peer left a ping unanswered."""
        if self.read_paused:
            # The application is behind, so the answer may lie unread on our side: ask again later.
            self.pong_timer = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self.loop.call_later(LAST_WORDS_S, self.transport.abort)
