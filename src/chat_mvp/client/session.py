"""The live part of the client: one connection that reconnects automatically and loses nothing."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
from msgspec import UNSET
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from chat_mvp.client.acknowledging import Acknowledgements
from chat_mvp.client.backoff import Backoff
from chat_mvp.client.errors import ClientError, ConnectionLostError, RefusedError, SignedOutError
from chat_mvp.client.progress import Progress
from chat_mvp.protocol import (
    CLOSE_PROTOCOL_VIOLATION,
    CLOSE_TOO_LARGE,
    CLOSE_TOO_SLOW,
    CLOSE_UNAUTHENTICATED,
    SUBPROTOCOL_JSON,
    AnyServerFrame,
    Bye,
    ClientFrame,
    Connect,
    Drained,
    Error,
    MessageAck,
    MessageNew,
    MessageSend,
    Priority,
    Read,
    Ready,
    ReadyConversations,
    TokenExpiring,
    TokenRefresh,
    TypingSet,
)

FIRST_WITHIN_S = 10.0
WAITING_EVENTS = 1_000
MAX_SERVER_FRAME_BYTES = 16 * 1024 * 1024
RETRY_AFTER_MS = 1_000
"""Used when the server says that a retry helps, but not when."""

MAX_REFUSALS = 3
"""How many new tokens are tried in a row. A server that refuses all of them has another reason."""

_TOKEN_ENDED = frozenset({"unauthenticated", "token_expired"})
_TRY_AGAIN = frozenset({"rate_limited", "unavailable", "internal"})
_GIVE_UP = frozenset({CLOSE_TOO_LARGE, CLOSE_PROTOCOL_VIOLATION})
_HTTP_FORBIDDEN = 403

_LOG = logging.getLogger(__name__)
_DECODER = msgspec.json.Decoder(AnyServerFrame)


class Account(Protocol):
    """What a session needs to know about the signed-in user."""

    url: str

    @property
    def is_local(self) -> bool:
        """Return whether the server is on this machine."""

    @property
    def access_token(self) -> str:
        """The access token. Raises ``SignedOutError`` if there is no token."""

    def renew(self, spent: str) -> Awaitable[str]:
        """Return an access token newer than ``spent``."""


class Session:
    """A live connection. Iterate over it to receive events, and call ``send`` to send messages.

    ``ready`` is the last one received. After ``drained``, its ``conversations`` are complete.

    When the connection is lost, the session reconnects with growing pauses and tells the server what it has. It sends
    unacknowledged messages again with the same ``client_message_id``, so nothing is missed and nothing is stored twice.
    A message counts as delivered when the application asks for the next one, or leaves the session without an
    exception. A message on which the application failed comes again. Reading stops, including answers, while 1,000
    events wait to be taken. With ``events=False`` there are no events.
    """

    def __init__(
        self,
        account: Account,
        *,
        events: bool = True,
        device_id: str | None = None,
        first_within_s: float = FIRST_WITHIN_S,
    ) -> None:
        """Prepare a session of the user who is signed in to ``account``. ``async with`` opens it."""
        self.ready: Ready | None = None
        self._account = account
        self._device_id = device_id
        self._first_within_s = first_within_s
        self._events: asyncio.Queue[AnyServerFrame | None] | None = asyncio.Queue(WAITING_EVENTS) if events else None
        self._progress = Progress()
        self._acknowledgements = Acknowledgements(self._transmit)
        self._taken: AnyServerFrame | None = None
        self._sends: dict[str, tuple[MessageSend, asyncio.Future[MessageAck]]] = {}
        self._socket: ClientConnection | None = None
        self._connected = asyncio.Event()
        self._bye: Bye | None = None
        self._refusal: Error | None = None
        self._refusals = 0
        self._backoff = Backoff()
        self._failure: ClientError | None = None
        self._runner: asyncio.Task[None] | None = None
        self._helpers: set[asyncio.Task[None]] = set()

    # --- from and to the application

    async def __aenter__(self) -> Self:
        """Connect. ``ConnectionLostError`` when that does not succeed in time (10 s)."""
        self._runner = asyncio.create_task(self._run(), name="chat session")
        try:
            async with asyncio.timeout(self._first_within_s):
                await self._connected.wait()
        except TimeoutError:
            await self._end()
            raise ConnectionLostError(f"No chat server answers at {self._account.url}.") from None
        except BaseException:
            await self._end()
            raise
        if self._failure is not None:
            await self._end()
            raise self._failure
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Acknowledge what was taken, unless the block failed, and close."""
        if kind is None:
            self._acknowledge_taken()
            await self._acknowledgements.flush()
        await self._end()

    def __aiter__(self) -> Self:
        """Iterate over every frame that is not an answer to this session, in order, until the session fails."""
        return self

    async def __anext__(self) -> AnyServerFrame:
        """Return the result of ``next``."""
        return await self.next()

    async def next(self) -> AnyServerFrame:
        """Return the next frame. The one before then counts as taken."""
        if self._events is None:
            raise ClientError("This session was opened without events.")
        self._acknowledge_taken()
        frame = await self._events.get()
        if frame is None:
            self._events.put_nowait(None)
            raise self._failure or ConnectionLostError("The session is closed.")
        self._taken = frame
        return frame

    async def send(
        self,
        text: str,
        *,
        conversation_id: str | None = None,
        to: str | None = None,
        reply_to: str | None = None,
        priority: Priority = "normal",
        client_message_id: str | None = None,
    ) -> MessageAck:
        """Send a message to a conversation, or to a user, and return when it is stored durably.

        It waits while the connection is lost or the server is busy. ``RefusedError`` when the server refuses the
        message.
        """
        if self._failure is not None:
            raise self._failure
        name = client_message_id or secrets.token_hex(12)
        frame = MessageSend(
            ref=name,
            client_message_id=name,
            conversation_id=conversation_id,
            to=to,
            text=text,
            reply_to=reply_to,
            priority=priority,
        )
        settled: asyncio.Future[MessageAck] = asyncio.get_running_loop().create_future()
        self._sends[name] = (frame, settled)
        try:
            await self._transmit(frame)
            return await settled
        finally:
            del self._sends[name]

    async def read(self, conversation_id: str, seq: int) -> None:
        """Report that the user has read everything up to ``seq``."""
        await self._transmit(Read(conversation_id=conversation_id, seq=seq))

    async def typing(self, conversation_id: str, *, stopped: bool = False) -> None:
        """Report that the user starts or stops writing. Without a connection the report is lost, which is intended."""
        await self._transmit(TypingSet(conversation_id=conversation_id, state="stop" if stopped else "start"))

    def _acknowledge_taken(self) -> None:
        if isinstance(self._taken, MessageNew):
            message = self._taken.message
            self._acknowledgements.add(message.conversation_id, message.seq)
        self._taken = None

    # --- the connection

    async def _run(self) -> None:
        try:
            while True:
                pause_s = await self._connect_once()
                await asyncio.sleep(pause_s)
        except ClientError as error:
            self._failure = error
        except msgspec.MsgspecError:
            self._failure = ClientError("The server does not speak this protocol.")
        for _, settled in self._sends.values():
            if not settled.done():
                settled.set_exception(self._failure)
        if self._events is not None:
            while self._events.full():
                self._events.get_nowait()
            self._events.put_nowait(None)
        self._connected.set()

    async def _connect_once(self) -> float:
        """Keep one connection until it ends, and return how many seconds to wait before the next."""
        token = self._account.access_token
        try:
            async with connect(
                "ws" + self._account.url.removeprefix("http") + "/ws",
                subprotocols=[Subprotocol(SUBPROTOCOL_JSON)],
                compression=None,
                max_size=MAX_SERVER_FRAME_BYTES,
                close_timeout=2,
                proxy=None if self._account.is_local else True,
            ) as socket:
                await self._talk(socket, token)
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd is not None else None
            if code == CLOSE_UNAUTHENTICATED:
                return await self._renew_after_refusal(token)
            if code in _GIVE_UP:
                raise ClientError(f"The server closed the connection permanently ({code}).") from error
            if code == CLOSE_TOO_SLOW:
                return self._backoff.pause_unless_first()
        except InvalidURI as error:
            raise ClientError(f"{self._account.url} is not the address of a chat server.") from error
        except InvalidStatus as error:
            if error.response.status_code == _HTTP_FORBIDDEN:
                raise ClientError("The server does not accept connections from here.") from error
            after = error.response.headers.get("Retry-After", "")
            if after.isdigit():
                return self._backoff.pause_asked_for(int(after) * 1000)
        except (OSError, InvalidHandshake, ConnectionLostError) as error:
            _LOG.debug("No connection: %s", type(error).__name__)
        finally:
            self._socket = None
        bye, self._bye = self._bye, None
        return self._backoff.pause() if bye is None else self._backoff.pause_asked_for(bye.reconnect_after_ms)

    async def _renew_after_refusal(self, token: str) -> float:
        """Get a new token and return when to try it. Raise when the token is not the cause."""
        refusal, self._refusal = self._refusal, None
        self._refusals += 1
        if refusal is not None and (refusal.code not in _TOKEN_ENDED or self._refusals > MAX_REFUSALS):
            raise RefusedError(refusal.code, refusal.detail)
        if self._refusals > MAX_REFUSALS:
            raise RefusedError("unauthenticated", "The server does not accept a token that it has just issued.")
        await self._account.renew(token)
        return self._backoff.pause_unless_first()

    async def _talk(self, socket: ClientConnection, token: str) -> None:
        self._refusal = None
        known, epoch = self._progress.name(), self._progress.epoch
        hello = Connect(token=token, device_id=self._device_id, known=known, epoch=epoch)
        await socket.send(_encode(hello))
        async for data in socket:
            try:
                frame = _DECODER.decode(data)
            except msgspec.ValidationError:
                continue  # a frame of a later version; the contract says that unknown ones are ignored
            if isinstance(frame, Error) and self._socket is None:
                self._refusal = frame
            if isinstance(frame, Ready):
                await self._begin(socket, frame)
            await self._take(frame)
            if isinstance(frame, Ready | ReadyConversations):
                for reset in self._progress.resets(frame.conversations):
                    await self._show(reset)

    async def _begin(self, socket: ClientConnection, ready: Ready) -> None:
        self.ready = ready
        self._refusals = 0
        self._socket = socket
        self._connected.set()
        for frame, settled in list(self._sends.values()):
            if not settled.done():
                await self._transmit(frame)

    async def _take(self, frame: AnyServerFrame) -> None:
        seen_before = self._progress.take(frame)
        match frame:
            case MessageAck():
                self._settle(frame.client_message_id, frame)
                return
            case Error() if isinstance(frame.ref, str) and frame.ref in self._sends:
                self._refuse(frame.ref, frame)
                return
            case TokenExpiring():
                self._run_in_background(self._renew())
            case Bye():
                self._bye = frame
            case ReadyConversations() if self.ready is not None:
                self.ready.conversations += frame.conversations
            case Drained():
                self._backoff.succeeded()
            case MessageNew() if seen_before:
                # The acknowledgement was lost with the last connection.
                self._acknowledgements.repeat(frame.message.conversation_id, frame.message.seq)
                return
        await self._show(frame)

    async def _show(self, frame: AnyServerFrame) -> None:
        if self._events is not None:
            await self._events.put(frame)

    def _settle(self, name: str, ack: MessageAck) -> None:
        if name in self._sends and not self._sends[name][1].done():
            self._sends[name][1].set_result(ack)

    def _refuse(self, name: str, error: Error) -> None:
        frame, settled = self._sends[name]
        if error.code in _TRY_AGAIN:
            after_ms = RETRY_AFTER_MS if error.retry_after_ms is UNSET else error.retry_after_ms
            self._run_in_background(self._send_again(name, frame, after_ms / 1000))
        elif not settled.done():
            settled.set_exception(RefusedError(error.code, error.detail))

    async def _send_again(self, name: str, frame: MessageSend, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if name in self._sends:
            await self._transmit(frame)

    async def _renew(self) -> None:
        try:
            token = await self._account.renew(self._account.access_token)
        except (ConnectionLostError, RefusedError, SignedOutError) as error:
            # The server will close with 4401, and the next attempt raises the error.
            _LOG.debug("The token was not renewed: %s", type(error).__name__)
            return
        await self._transmit(TokenRefresh(token=token))

    async def _transmit(self, frame: ClientFrame) -> bool:
        """Send a frame if there is a connection, and return whether it was sent."""
        if self._socket is None:
            return False
        try:
            await self._socket.send(_encode(frame))
        except ConnectionClosed:
            return False
        return True

    def _run_in_background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helpers.discard)

    async def _end(self) -> None:
        self._acknowledgements.stop()
        if self._socket is not None:
            await self._socket.close()
        tasks = [*self._helpers, *([self._runner] if self._runner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _encode(frame: ClientFrame) -> str:
    return msgspec.json.encode({k: v for k, v in msgspec.to_builtins(frame).items() if v is not None}).decode()
