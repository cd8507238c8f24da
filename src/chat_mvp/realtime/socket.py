"""The WebSocket endpoint. Only this module touches sockets.

It is plain ASGI, so that there is no middleware between a frame and its handler. Reading goes on while the connection
catches up, because answers to its own requests are not held back.
"""

import asyncio
import time
from collections.abc import Collection

import structlog

from chat_mvp.addresses import address_group
from chat_mvp.codec import Codec, Refused, to_wire
from chat_mvp.errors import (
    BadFrameError,
    ChatError,
    ForbiddenError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UnknownTypeError,
)
from chat_mvp.limits import CONNECT_TIMEOUT_S, FRAMES_BURST, FRAMES_PER_S, MAX_CONNECTIONS_PER_ACCOUNT
from chat_mvp.protocol import (
    CLOSE_INTERNAL,
    CLOSE_PROTOCOL_VIOLATION,
    CLOSE_RESTART,
    CLOSE_TOO_MANY,
    CLOSE_UNAUTHENTICATED,
    AnyClientFrame,
    Connect,
)
from chat_mvp.realtime.admission import Admission, Slot
from chat_mvp.realtime.budgets import FRAME_BUDGETS
from chat_mvp.realtime.connect_flow import CatchingUp, ConnectFlow
from chat_mvp.realtime.connection import Connection, error_frame
from chat_mvp.realtime.connection_closer import ConnectionCloser, bye
from chat_mvp.realtime.dispatch import Dispatcher
from chat_mvp.realtime.handshake import agree, header
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.peer import Peer, Receive, Scope, Send
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.realtime.session import Phase, Session
from chat_mvp.realtime.wire import CLOSE_WITHIN_S
from chat_mvp.security.authentication import Authenticator, Caller
from chat_mvp.security.budgets import RateLimits
from chat_mvp.security.guessing import shown
from chat_mvp.security.origins import is_allowed_origin
from chat_mvp.security.ratelimit import Limiter
from chat_mvp.storage.connections import ConnectionRecord
from chat_mvp.storage.ids import new_id
from chat_mvp.transport.problem import whole_problem

_LOG = structlog.get_logger(__name__)


class SocketEndpoint:
    """Accepts WebSockets, authenticates them, reads their frames, and cleans up after them."""

    def __init__(
        self,
        *,
        authenticator: Authenticator,
        admission: Admission,
        registry: Registry,
        connect_flow: ConnectFlow,
        dispatcher: Dispatcher,
        presence: PresenceTracker,
        connection_log: ConnectionLog,
        closer: ConnectionCloser,
        allowed_origins: Collection[str],
        has_limits: bool,
        rate_limits: RateLimits,
    ) -> None:
        """``has_limits``: limit the connections of an account, and the frames per second of each connection."""
        self._authenticator = authenticator
        self._admission = admission
        self._registry = registry
        self._connect_flow = connect_flow
        self._dispatcher = dispatcher
        self._presence = presence
        self._connection_log = connection_log
        self._closer = closer
        self._allowed_origins = allowed_origins
        self._has_limits = has_limits
        self._rate_limits = rate_limits
        self._frame_limiter = Limiter(rate_per_s=FRAMES_PER_S, burst=FRAMES_BURST) if has_limits else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket from the handshake to the close."""
        await receive()
        headers = scope["headers"]
        origin, host, is_secure = header(headers, b"origin"), header(headers, b"host"), scope.get("scheme") == "wss"
        if not is_allowed_origin(origin, host, self._allowed_origins, is_secure=is_secure):
            await _refuse_handshake(scope, send, ForbiddenError("Pages from this origin are not allowed to connect."))
            return
        if self._closer.is_stopping:
            stopping = UnavailableError("The server is stopping. Try again in a moment.", retry_after_ms=1_000)
            await _refuse_handshake(scope, send, stopping)
            return
        try:
            self._rate_limits.check("handshake", _address(scope))
        except RateLimitedError as error:
            await _refuse_handshake(scope, send, error)
            return
        authorization = header(headers, b"authorization")
        # Local variables of this coroutine stay in memory as long as the connection lives.
        del headers
        agreement = agree(scope.get("subprotocols", ()))
        await send({"type": "websocket.accept", "subprotocol": agreement.subprotocol})
        peer = Peer(scope, receive, send, agreement.codec)
        try:
            await self._serve(peer, authorization)
        except OSError:
            # The peer disconnected while the server was sending.
            return

    async def _serve(self, peer: Peer, authorization: str | None) -> None:
        frame = await _first_frame(peer)
        if frame is None:
            return
        if isinstance(frame, Refused):
            await _send_refusal(peer, frame.error, CLOSE_UNAUTHENTICATED, frame.ref)
            return
        try:
            caller = await self._authenticator.authenticate(_token(frame, authorization))
            self._rate_limits.check(FRAME_BUDGETS[Connect], caller.user_id)
        except ChatError as error:
            await _refuse_connect(peer, error, frame.ref)
            return
        if self._has_limits and self._admission.waiting(caller.user_id) >= MAX_CONNECTIONS_PER_ACCOUNT:
            await _send_refusal(peer, _too_many_connections(), CLOSE_TOO_MANY, frame.ref)
            return
        try:
            slot = await self._admission.enter(caller.user_id)
        except UnavailableError as error:
            await _refuse_connect(peer, error, frame.ref)
            return
        try:
            if await self._is_admitted(peer, frame, caller):
                await self._run_connection(peer, frame, caller, slot)
        finally:
            slot.leave()

    async def _is_admitted(self, peer: Peer, frame: Connect, caller: Caller) -> bool:
        """Return whether the caller may connect now. If not, refuse the connection."""
        try:
            await self._presence.arrive(caller.user_id)
            # There is no await from here until the connection is registered. Otherwise a sign-out in between would not
            # find the connection, and several concurrent connections could each count as the twentieth.
            self._authenticator.check_not_ended(caller.session_id)
        except ChatError as error:
            await _refuse_connect(peer, error, frame.ref)
            return False
        if self._closer.is_stopping:
            # The server began to stop while the connection waited.
            await _send_refusal(peer, UnavailableError("The server is stopping."), CLOSE_RESTART, frame.ref)
            return False
        if self._has_limits and len(self._registry.of(caller.user_id)) >= MAX_CONNECTIONS_PER_ACCOUNT:
            await _send_refusal(peer, _too_many_connections(), CLOSE_TOO_MANY, frame.ref)
            return False
        return True

    async def _run_connection(self, peer: Peer, frame: Connect, caller: Caller, slot: Slot) -> None:
        connection = self._connection(peer, frame, caller)
        catching_up: asyncio.Task[None] | None = None
        try:
            connection.session.begin_catching_up()
            self._registry.add(connection)
            self._connection_log.began(ConnectionRecord(connection.id, connection.user_id, connection.device_id))
            bring_up_to_date = await peer.unless_gone(self._connect_flow.start(connection, frame, slot))
            if bring_up_to_date is None:
                return
            catching_up = asyncio.get_running_loop().create_task(_catch_up(connection, bring_up_to_date, slot))
            # Local variables stay in memory as long as the connection lives.
            del frame, bring_up_to_date
            await self._read(peer, connection)
        except ChatError as error:
            connection.answer_error(error, None)
            connection.close(CLOSE_INTERNAL, "the server failed")
            slot.leave()
            await _wait_for_disconnect(peer)
        finally:
            if catching_up is not None:
                catching_up.cancel()
            self._leave(connection)

    def _connection(self, peer: Peer, frame: Connect, caller: Caller) -> Connection:
        connection = Connection(
            connection_id=new_id(),
            user_id=caller.user_id,
            auth_session_id=caller.session_id,
            device_id=frame.device_id,
            expires_at=caller.expires_at,
            codec=peer.codec,
            framed=peer.framed,
            send=peer.send,
            send_now=peer.send_now,
            session=Session(),
            close=lambda code, reason: self._end(connection, peer, code, reason),
        )
        return connection

    def _end(self, connection: Connection, peer: Peer, code: int, reason: str) -> None:
        # A connection that is being closed does not count as connected. Later messages wait in the queue.
        self._registry.remove(connection)
        self._closer.begin(connection, peer, code, reason)

    def _leave(self, connection: Connection) -> None:
        connection.end()
        self._registry.remove(connection)
        self._presence.unwatch(connection)
        self._connection_log.ended(connection.id)

    async def _read(self, peer: Peer, connection: Connection) -> None:
        codec, dispatch = peer.codec, self._dispatcher.dispatch
        while (data := await peer.receive()) is not None:
            if connection.session.phase is Phase.CLOSED:
                continue
            if self._frame_limiter is not None and self._frame_limiter.allow(connection.id) is not None:
                connection.close(CLOSE_TOO_MANY, "too many frames")
                continue
            frame = _decode(codec, data)
            if isinstance(frame, Refused):
                self._refuse(connection, frame)
                continue
            pending = dispatch(connection, frame)
            if pending is not None:
                await pending

    def _refuse(self, connection: Connection, refused: Refused) -> None:
        connection.answer_error(refused.error, refused.ref)
        is_bad = isinstance(refused.error, BadFrameError | UnknownTypeError)
        if is_bad and connection.session.count_bad_frame(time.monotonic()):
            connection.close(CLOSE_PROTOCOL_VIOLATION, "too many invalid frames")


async def _first_frame(peer: Peer) -> Connect | Refused | None:
    """Return the ``connect``, or the refusal of another frame, or ``None`` when the peer disconnected."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            data = await peer.receive()
    except TimeoutError:
        return Refused(
            UnauthenticatedError(f"The client sent no connect frame within {CONNECT_TIMEOUT_S:g} seconds."), None
        )
    if data is None:
        return None
    frame = _decode(peer.codec, data)
    if isinstance(frame, Connect | Refused):
        return frame
    return Refused(UnauthenticatedError("The first frame must be a connect frame."), frame.ref)


def _decode(codec: Codec, data: bytes | str) -> AnyClientFrame | Refused:
    if isinstance(data, bytes) != codec.binary:
        kind = "binary" if codec.binary else "text"
        return Refused(BadFrameError(f"Send {kind} frames: the negotiated encoding requires them."), None)
    return codec.decode(data)


def _token(frame: Connect, authorization: str | None) -> str:
    if frame.token is not None:
        return frame.token
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("There is no access token. Send one in the connect frame or in the handshake.")
    return token.strip()


async def _catch_up(connection: Connection, bring_up_to_date: CatchingUp, slot: Slot) -> None:
    try:
        await bring_up_to_date()
    except ChatError as error:
        connection.answer_error(error, None)
        connection.close(CLOSE_INTERNAL, "the server failed")
    except Exception:  # noqa: BLE001  (an internal error must close the connection, which would otherwise wait forever)
        _LOG.exception("catching up failed")
        connection.close(CLOSE_INTERNAL, "the server failed")
    finally:
        slot.leave()


def _too_many_connections() -> RateLimitedError:
    return RateLimitedError(
        f"This account has too many connections (at most {MAX_CONNECTIONS_PER_ACCOUNT}). Close another one."
    )


async def _refuse_connect(peer: Peer, error: ChatError, ref: int | str | None) -> None:
    await _send_refusal(peer, error, _close_code(error), ref)


def _close_code(error: ChatError) -> int:
    if isinstance(error, RateLimitedError):
        return CLOSE_TOO_MANY
    return CLOSE_INTERNAL if error.status >= 500 else CLOSE_UNAUTHENTICATED  # noqa: PLR2004  (a fault of the server or of the client)


async def _send_refusal(peer: Peer, error: ChatError, code: int, ref: int | str | None) -> None:
    refusal = error_frame(error)
    if ref is not None:
        refusal.ref = ref
    frames = [peer.codec.encode(refusal), peer.codec.encode(bye(code, error.detail))]
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await peer.send([to_wire(data, peer.codec) for data in frames] if peer.framed else frames)
            await peer.close(code, error.code)
    except TimeoutError:
        peer.abort()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return address_group(client[0]) if client else ""


async def _refuse_handshake(scope: Scope, send: Send, error: ChatError) -> None:
    client = scope.get("client")
    origin = header(scope["headers"], b"origin")
    _LOG.info(
        "handshake_refused",
        code=error.code,
        client=client[0] if client else None,
        origin=None if origin is None else shown(origin),
    )
    headers, body = whole_problem(error)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": raw})
    await send({"type": "websocket.http.response.body", "body": body})


async def _wait_for_disconnect(peer: Peer) -> None:
    while await peer.receive() is not None:
        pass
