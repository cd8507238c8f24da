"""Uvicorn's WebSocket protocol with two additions: it ends dead connections, and writes complete frames unchanged."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import SecurityError
from websockets.frames import CloseCode, Frame
from websockets.http11 import Request

from chat_mvp.addresses import address_group, believe_proxies
from chat_mvp.errors import BadRequestError, HeadersTooLargeError
from chat_mvp.protocol import CLOSE_TOO_MANY
from chat_mvp.realtime.inbox import Inbox
from chat_mvp.transport.connections import CountedConnection
from chat_mvp.transport.intake import Lease
from chat_mvp.transport.problem import last_answer
from chat_mvp.transport.reading import APPLICATION, UNREAD, Reading
from chat_mvp.transport.shared import Shared

WIRE = "chat_mvp.wire"
"""ASGI extension of a WebSocket scope: ``{"abort": callable, "write": coroutine function, "write_now": callable}``.

``abort()`` drops the connection at once, with its unsent bytes. ``write(frames)`` sends complete, unmasked frames in
one piece and waits while the peer does not read. ``write_now(frames)`` does not wait. Under another server the
extension is missing and plain ASGI is used.
"""
READ_AHEAD = 64
"""How many messages of one connection may wait to be handled before the server stops reading from it.

Uvicorn stops reading after every single message, which costs two system calls for each.
"""
LARGE_MESSAGE = 8 * 1024
"""After a message of this many bytes nothing more is read until it is handled: 64 large ones would be 8 MiB."""
CLOSE_WITHIN_S = 2.0
"""How long a close frame may wait for a peer that does not answer."""


class ChatWebSocketProtocol(WebSocketsSansIOProtocol):
    """One WebSocket. A peer that is gone or does not read uses memory for at most ``CLOSE_WITHIN_S``.

    Uvicorn closes such a connection gracefully: it waits until the peer has read the unsent bytes. If the peer is dead,
    this lasts until the operating system gives up after minutes.
    """

    def __init__(self, *args: Any, shared: Shared, counted: CountedConnection | None = None, **options: Any) -> None:
        """Take uvicorn's arguments, the state shared by all connections of this server, and the count.

        ``counted`` is this connection in the set of counted ones. It is removed when the connection ends.
        """
        super().__init__(*args, **options)
        self.reading: Reading
        self._shared = shared
        self._counted = counted
        self._lease: Lease | None = None
        self._is_refused = False
        self._owes_pongs = False
        self._pings = 0
        self._pings_since = 0.0
        self._abort_timer: asyncio.TimerHandle | None = None
        self._on_gone: Callable[[], object] | None = None
        self.close_timeout = CLOSE_WITHIN_S
        self.queue: Any = Inbox()

    def connection_made(self, transport: Any) -> None:
        """Start to read."""
        super().connection_made(transport)
        self.reading = Reading(transport, self.loop)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what the connection held at once, without waiting for the garbage collector."""
        super().connection_lost(exc)
        self._release_lease()
        if self._on_gone is not None:
            self._on_gone()
        if self._counted is not None:
            self._counted.leave()
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        # Each of these is part of a reference cycle.
        if self.handshake_initiated and hasattr(self, "scope"):
            self.scope["extensions"].clear()
        self.conn.parser.close()

    # ------------------------------------------------------------------------------------------------ what arrives

    def data_received(self, data: bytes) -> None:
        """Handle received data, at most one ``ReadBuffer`` of it. The handshake must arrive first, and in one piece."""
        if self._is_refused:
            return
        super().data_received(data)
        if not self.handshake_initiated:
            self._refuse_handshake()
            return
        if self._owes_pongs:
            self._owes_pongs = False
            if not self.transport.is_closing():
                self.transport.write(b"".join(self.conn.data_to_send()))
        if self._lease is not None:
            unfinished = len(self.conn.reader.buffer) + sum(map(len, self.frames))
            self._lease.grow(unfinished - self._lease.size)

    def handle_connect(self, event: Request) -> None:
        """Start the handshake, and add the extension to the scope of the application."""
        super().handle_connect(event)
        if not self.handshake_initiated or self.close_sent:
            self._abort_soon()
            return
        believe_proxies(self.scope, self._shared.trusted_proxies)  # type: ignore[arg-type]
        client = self.scope["client"]
        # Until the first message is complete, its parts count towards the memory limit of unfinished requests.
        self._lease = self._shared.intake.open(address_group(client[0]) if client else "", self.transport.abort)
        self.scope["extensions"][WIRE] = {
            "abort": self.transport.abort,
            "write": self.write,
            "write_now": self.write_now,
            "is_gone": self.is_gone,
            "when_gone": self.when_gone,
        }

    def _refuse_handshake(self) -> None:
        """Refuse data that ``websockets`` did not accept as a handshake: it reports no event for that."""
        error = (
            HeadersTooLargeError("A header of a WebSocket handshake may have at most 8,192 bytes.")
            if isinstance(self.conn.handshake_exc, SecurityError)
            else BadRequestError("This is not a valid WebSocket handshake. Send it without a body.")
        )
        self._is_refused = self.handshake_complete = self.close_sent = True
        self.transport.write(last_answer(error))
        # If a connection is closed while the client still sends, it is reset, and the client may never see the answer.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._abort_soon()

    def handle_cont(self, event: Frame) -> None:
        """Accept one more fragment of a message, unless there are too many: each costs more than its bytes."""
        if self.close_sent:
            return
        super().handle_cont(event)
        if len(self.frames) > self._shared.limits.fragments:
            self.frames = []
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, and continue to read until ``READ_AHEAD`` messages wait."""
        if self._lease is not None:
            self._release_lease()
        was_paused = self.read_paused
        is_large = sum(map(len, self.frames)) >= LARGE_MESSAGE
        # Otherwise uvicorn would stop reading here.
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = was_paused
        if not was_paused and (is_large or len(self.queue) >= READ_AHEAD):
            self.read_paused = True
            self.reading.stop(APPLICATION)

    async def receive(self) -> Any:
        """Return the next event, and continue to read when none is left."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self._resume_reading()
        return message

    def _resume_reading(self) -> None:
        self.read_paused = False
        self.reading.resume(APPLICATION)

    def handle_ping(self) -> None:
        """Answer a ping together with all others that have arrived. Close a connection that sends too many."""
        if self.close_sent:
            return
        self._owes_pongs = True
        now = self.loop.time()
        if now - self._pings_since >= 1.0:
            self._pings_since, self._pings = now, 0
        self._pings += 1
        if self._pings > self._shared.limits.pings_per_s:
            self.conn.fail(CLOSE_TOO_MANY, "too many pings")
            self.handle_parser_exception()

    def handle_close(self, event: Any) -> None:
        """End the connection when the peer closes it, even if the peer does not read."""
        super().handle_close(event)
        self._abort_soon()

    def handle_parser_exception(self) -> None:
        """Send the reason and end the connection, even if the peer does not read.

        If a connection is closed while the peer still sends, it is reset, and the peer may never see the reason. So
        what the peer still sends is discarded for a moment.
        """
        failure = self.conn.close_sent
        if self._is_refused or failure is None:
            return
        self._is_refused = self.close_sent = True
        # The pongs are sent here, before the close frame. Nothing can be written after it.
        self._owes_pongs = False
        self.queue.put_nowait({"type": "websocket.disconnect", "code": failure.code, "reason": failure.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.stop_keepalive()
        self.reading.release()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Uvicorn closes the connection at once when the application ends, unless this timer is set.
        self.close_timer = self.loop.call_later(self._shared.limits.linger_s, self.transport.close)
        self._abort_soon()

    # ------------------------------------------------------------------------------------------------- what leaves

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read: its pings would need answers."""
        super().pause_writing()
        self.reading.stop(UNREAD)

    def resume_writing(self) -> None:
        """Continue to read."""
        super().resume_writing()
        self.reading.resume(UNREAD)

    async def send(self, message: Any) -> None:
        """Send an event. After the handshake, release its data, about 4 KB for each connection."""
        kind = message["type"]
        if kind == "websocket.close" and self.read_paused:
            # The answer of the peer to the close frame must be read.
            self._resume_reading()
        await super().send(message)
        if kind == "websocket.accept":
            del self.request, self.response
            self.scope["headers"] = []
        elif kind == "websocket.http.response.body" and not message.get("more_body", False):
            # Otherwise uvicorn would log that the handshake was never completed.
            self.handshake_complete = True
            self._abort_soon()

    async def write(self, frames: Sequence[bytes]) -> None:
        """Send complete frames in one piece. Raises ``ClientDisconnected`` (an ``OSError``) when the peer is gone.

        A frame for many users is encoded once for all of them. This is possible because the server never masks frames
        and agrees on no compression.
        """
        while not self.write_now(frames):
            await self.writable.wait()

    def write_now(self, frames: Sequence[bytes]) -> bool:
        """Send complete frames in one piece. Return false, and send nothing, while the peer does not read.

        Raises ``ClientDisconnected`` (an ``OSError``) when the peer is gone.
        """
        if self.disconnected:
            raise ClientDisconnected
        if not self.writable.is_set():
            return False
        if not self.close_sent:
            self.transport.write(b"".join(frames))
        return True

    def is_gone(self) -> bool:
        """Return whether the connection has ended."""
        return bool(self.disconnected)

    def when_gone(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback`` when the connection ends, instead of the one before. ``None`` calls nothing."""
        self._on_gone = callback

    def keepalive_timeout(self) -> None:
        """End a connection whose peer left a ping unanswered."""
        if self.read_paused:
            # The application is behind, so the answer may still be unread in our buffer: check again later.
            self.pong_timer = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self._abort_soon()

    def _abort_soon(self) -> None:
        if self._abort_timer is None and not self.disconnected:
            self._abort_timer = self.loop.call_later(CLOSE_WITHIN_S, self.transport.abort)

    def _release_lease(self) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease = None
