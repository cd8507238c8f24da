"""The WebSocket of one user, with picows. Every frame is handled in the callback that receives it."""

import asyncio
from collections.abc import Callable

from msgspec import Struct
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from chat_mvp.bench.load import frames
from chat_mvp.bench.load.frames import Connect, Encoding, Frame
from chat_mvp.bench.orders import Person

GREETED_WITHIN_S = 60.0
_READ_BUFFER_BYTES = 4 * 1024


class BrokenPromiseError(Exception):
    """The server broke a promise of the protocol."""


class Connection(WSListener):
    """Connect with ``open``. ``on_frame`` gets every frame after ``drained``, ``on_trouble`` every error."""

    def __init__(
        self,
        person: Person,
        encoding: Encoding,
        *,
        on_frame: Callable[[Frame], None],
        on_trouble: Callable[[str], None],
        on_catching_up: Callable[[Frame], None] | None = None,
    ) -> None:
        """Connect as this user.

        ``on_catching_up`` gets the frames up to ``drained``, including ``ready`` and ``drained``.
        """
        self.person = person
        self.last_seqs: dict[str, int] = {}
        self._on_catching_up = on_catching_up
        self._encoding = encoding
        self._kind = WSMsgType.BINARY if encoding.binary else WSMsgType.TEXT
        self.on_frame = on_frame
        self._on_trouble = on_trouble
        self._transport: WSTransport | None = None
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = False

    async def open(self, url: str, connect: Connect | None = None) -> None:
        """Return when all waiting messages have arrived. ``BrokenPromiseError`` when the server refuses."""
        await ws_connect(
            lambda: self,
            url,
            extra_headers={"Sec-WebSocket-Protocol": self._encoding.subprotocol},
            websocket_handshake_timeout=GREETED_WITHIN_S,
            read_buffer_init_size=_READ_BUFFER_BYTES,
        )
        self.send(connect or Connect(token=self.person.token))
        async with asyncio.timeout(GREETED_WITHIN_S):
            await self._greeted

    def send(self, frame: Struct) -> None:
        """Write one frame."""
        assert self._transport is not None  # noqa: S101 - open comes first
        self._transport.send(self._kind, self._encoding.encode(frame))

    async def close(self) -> None:
        """Send a close frame and wait until the socket is closed."""
        self._closing = True
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()
            await self._transport.wait_disconnected()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Store the transport."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Decode the frame and pass it on."""
        if frame.msg_type != self._kind:
            if frame.msg_type == WSMsgType.CLOSE:
                self._trouble(f"the server closed a connection: {frame.get_close_code()} {frame.get_close_reason()}")
                transport.disconnect()
            return
        decoded = self._encoding.decode(frame.get_payload_as_memoryview())
        kind = decoded.type
        if kind in {frames.ERROR, frames.BYE}:
            self._trouble(f"the server said {kind}: {decoded.code} {decoded.detail}")
        elif self._greeted.done():
            self.on_frame(decoded)
        else:
            self._catch_up(decoded)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - the listener's interface
        """Report the disconnect, unless it was requested."""
        self._trouble("a connection was lost")

    def _catch_up(self, frame: Frame) -> None:
        if self._on_catching_up is not None:
            self._on_catching_up(frame)
        if frame.type == frames.READY:
            self.last_seqs = {state.id: state.last_seq for state in frame.conversations}
        elif frame.type == frames.DRAINED:
            self._greeted.set_result(None)

    def _trouble(self, what: str) -> None:
        if self._closing:
            return
        if self._greeted.done():
            self._on_trouble(what)
        else:
            self._greeted.set_exception(BrokenPromiseError(what))
