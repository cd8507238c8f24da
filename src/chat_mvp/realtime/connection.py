"""One connection as the rest of the program sees it: it receives frames."""

from collections.abc import Callable

from msgspec import UNSET

from chat_mvp.codec import Codec, EncodedFrame, to_wire
from chat_mvp.delivery.bus import Publication
from chat_mvp.errors import ChatError
from chat_mvp.limits import MAX_WAITING_BYTES, MAX_WAITING_FRAMES
from chat_mvp.protocol import CLOSE_TOO_SLOW, AnswerFrame, Error, MessageNew, Ref, ServerFrame
from chat_mvp.realtime.admission import Slot
from chat_mvp.realtime.outbox import Outbox, Send, SendNow
from chat_mvp.realtime.session import Phase, Session

Close = Callable[[int, str], None]


class Connection:
    """A signed-in WebSocket.

    ``auth_session_id`` is the device's session. When it ends, the connection ends. ``expires_at`` is the end of its
    access token in seconds since the epoch. ``subscribed`` are the users whose presence the connection asked for.
    ``close(code, reason)`` begins to close the connection and returns at once.
    """

    __slots__ = (
        "_codec",
        "_framed",
        "auth_session_id",
        "close",
        "device_id",
        "expires_at",
        "id",
        "outbox",
        "session",
        "subscribed",
        "user_id",
        "warned_of_expiry",
    )

    def __init__(
        self,
        *,
        connection_id: str,
        user_id: str,
        auth_session_id: str,
        device_id: str | None,
        expires_at: float,
        codec: Codec,
        framed: bool,
        send: Send,
        session: Session,
        close: Close,
        send_now: SendNow | None = None,
    ) -> None:
        """Send through ``send``. ``framed`` says that ``send`` takes complete frames instead of payloads."""
        self.id = connection_id
        self.user_id = user_id
        self.auth_session_id = auth_session_id
        self.device_id = device_id
        self.expires_at = expires_at
        self.warned_of_expiry = False
        self.subscribed: frozenset[str] = frozenset()
        self.session = session
        self.close = close
        self._codec = codec
        self._framed = framed
        self.outbox = Outbox(
            send,
            send_now=send_now,
            max_frames=MAX_WAITING_FRAMES,
            max_bytes=MAX_WAITING_BYTES,
            on_overflow=self._close_slow_connection,
        )

    def end(self) -> None:
        """Send nothing more, and break reference cycles, so that the memory does not wait for the garbage collector.

        After this, ``close`` does nothing.
        """
        self.session.phase = Phase.CLOSED
        self.session.drop_held()
        self.outbox.detach()
        self.close = _close_nothing

    def deliver(self, publication: Publication, encoded: EncodedFrame) -> None:
        """Send a live event, or hold it while the connection is catching up."""
        if self.session.phase is Phase.LIVE:
            if not publication.droppable or self._has_room_for_droppable():
                self.outbox.push(self._bytes(encoded))
        elif self._is_holding():
            self._hold(publication, encoded)

    def answer(self, frame: ServerFrame, ref: Ref | None = None) -> None:
        """Send a frame that is for this connection alone. It is not held back during the catch-up.

        ``ref`` is the reference of the request that the frame answers, if the request has one.

        After ``drained`` is sent, the frame is queued after the held events, so that no answer has a higher ``rev``
        than theirs.
        """
        if ref is not None and isinstance(frame, AnswerFrame):
            frame.ref = ref
        if self.session.phase is not Phase.RELEASING:
            self.outbox.push(self._encode(frame))
        else:
            self._hold(None, EncodedFrame(frame))

    def answer_error(self, error: ChatError, ref: Ref | None) -> None:
        """Answer a request with an ``error`` frame."""
        self.answer(error_frame(error), ref)

    async def catch_up(self, frame: ServerFrame, slot: Slot | None = None) -> None:
        """Send a frame of the catch-up at the reader's pace. It releases ``slot`` while it waits for the reader."""
        data = self._encode(frame)
        if slot is None:
            await self.outbox.push_paced(data)
            return
        if slot.is_used_up() or not self.outbox.has_room(len(data)):
            slot.leave()
        await self.outbox.push_paced(data)
        await slot.back()

    async def go_live(self, *final_frames: ServerFrame) -> None:
        """Send the last frames of the catch-up and the held events at the reader's pace. Then hold no more events."""
        self.session.release()
        for frame in final_frames:
            await self.catch_up(frame)
        while held := self.session.take_held():
            for encoded in held:
                await self.outbox.push_paced(self._bytes(encoded))
        self.session.go_live()

    def needs_echo(self, publication: Publication) -> bool:
        """Return whether this connection needs an event although its own request caused it and was answered.

        During the catch-up, a state that was read before the request may be sent after the answer.
        """
        is_change = publication.message_id is not None and not isinstance(publication.frame, MessageNew)
        return is_change and self.session.phase is Phase.CATCHING_UP

    def _hold(self, publication: Publication | None, encoded: EncodedFrame) -> None:
        if not self.session.hold(publication, encoded, len(self._bytes(encoded))):
            self._close_slow_connection()

    def _is_holding(self) -> bool:
        return self.session.phase in {Phase.CATCHING_UP, Phase.RELEASING}

    def _has_room_for_droppable(self) -> bool:
        return self.outbox.waiting * 4 < MAX_WAITING_FRAMES

    def _close_slow_connection(self) -> None:
        self.close(CLOSE_TOO_SLOW, "too slow to read")

    def _bytes(self, encoded: EncodedFrame) -> bytes:
        return encoded.wire(self._codec) if self._framed else encoded.payload(self._codec)

    def _encode(self, frame: ServerFrame) -> bytes:
        payload = self._codec.encode(frame)
        return to_wire(payload, self._codec) if self._framed else payload


def error_frame(error: ChatError) -> Error:
    """Return the frame with the reason why a request was refused or failed."""
    retry_after_ms = UNSET if error.retry_after_ms is None else error.retry_after_ms
    return Error(code=error.code, detail=error.detail, retry_after_ms=retry_after_ms)


def _close_nothing(_code: int, _reason: str) -> None:
    """Do nothing, because the connection has ended."""
