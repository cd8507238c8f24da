"""Uvicorn's HTTP protocol with limits on size and time before a request reaches the application."""

from enum import Enum
from functools import partial
from typing import Any, cast

import httptools
import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from chat_mvp.addresses import address_group, believe_proxies
from chat_mvp.errors import (
    BadRequestError,
    ChatError,
    HeadersTooLargeError,
    HttpVersionError,
    RateLimitedError,
    RequestTimeoutError,
    TransferCodingError,
    UnavailableError,
    UrlTooLongError,
)
from chat_mvp.transport.connections import CountedConnection
from chat_mvp.transport.intake import Lease
from chat_mvp.transport.problem import last_answer
from chat_mvp.transport.reading import UNREAD, ApplicationFlow, Paced, PacedReader, Reading
from chat_mvp.transport.shared import Shared

_RETRY_AFTER_MS = 1_000
_VERSIONS = frozenset({"1.0", "1.1"})

_LOG = structlog.get_logger(__name__)


class Phase(Enum):
    """What the client is expected to send next."""

    NOTHING = "the last request has arrived; the next may come"
    HEAD = "request line and headers"
    BODY = "a body"
    IGNORED = "its data is discarded"


class ChatHttpProtocol(HttpToolsProtocol):
    """One connection that speaks HTTP/1.1, until it ends or becomes a WebSocket.

    A request over a limit gets a problem document, and the connection ends. ``Watch`` enforces the time limits by
    calling ``check_time``.
    """

    def __init__(self, *args: Any, shared: Shared, **options: Any) -> None:
        """Take uvicorn's arguments, and the state shared by all connections of this server."""
        super().__init__(*args, **options)
        self.reading: Reading
        self._shared = shared
        self._limits = shared.limits
        self._counted: CountedConnection | None = None
        self._lease: Lease | None = None
        self._phase = Phase.HEAD
        self._since = 0.0
        self._checked_at = 0.0
        self._unread_since: float | None = None
        self._unread_bytes = 0
        self._unread_lease: Lease | None = None
        self._answering: RequestResponseCycle | None = None
        self._closing_since: float | None = None
        # Bytes of the names and values of this request's headers, of its body, and of data that the parser has not
        # reported.
        self._head_bytes = 0
        self._body_bytes = 0
        self._unreported_bytes = 0

    # ----------------------------------------------------------------------------------------------- the connection

    def connection_made(self, transport: Any) -> None:
        """Accept the connection, unless there are too many."""
        super().connection_made(transport)
        self.reading = Reading(transport, self.loop)
        self.flow = ApplicationFlow(transport, self.reading)
        transport.set_protocol(PacedReader(self, self._shared.buffer))
        self._since = self._checked_at = self.loop.time()
        self._shared.watch.add(self)
        try:
            # Behind a proxy, all connections come from the address of the proxy.
            is_proxy = self._shared.trusted_proxies > 0
            self._counted = self._shared.counts.enter(None if is_proxy or self.client is None else self.client[0])
        except (RateLimitedError, UnavailableError) as error:
            self._refuse(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release what the connection held."""
        self._drop_requests()
        super().connection_lost(exc)
        self._release_unread()
        self._leave()
        if self._counted is not None:
            self._counted.leave()

    def eof_received(self) -> None:
        """Let the transport close. A client that closes its side gets no more answers."""

    def _leave(self) -> None:
        self._shared.watch.remove(self)
        self._release_lease()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _drop_requests(self) -> None:
        # Uvicorn does this only for the last request. The others would write to a closed transport.
        for cycle in (self._answering, *(queued for queued, _ in self.pipeline), self._cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def _close(self) -> None:
        """End the connection without an answer, and drop requests that are still unanswered."""
        self._discard_input()
        self._drop_requests()
        self.transport.close()

    # ------------------------------------------------------------------------------------------------ what arrives

    def data_received(self, data: bytes) -> None:
        """Parse received data, at most one ``ReadBuffer`` of it."""
        if self._phase is Phase.IGNORED:
            return
        if self._phase is Phase.NOTHING:
            self._begin(Phase.HEAD)
        self._unset_keepalive_if_required()
        self._unreported_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            elif (cycle := self._cycle) is not None:
                # The client asks to upgrade to a protocol that the server does not support. The request is answered
                # without it.
                cycle.keep_alive = False
        except httptools.HttpParserError as error:
            refusal = error.__context__
            self._refuse(refusal if isinstance(refusal, ChatError) else BadRequestError("This is not valid HTTP/1.1."))
        else:
            if self._unreported_bytes > self._limits.head_bytes:
                self._refuse(self._headers_too_large())

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        if self._phase is not Phase.IGNORED:
            self._phase = Phase.HEAD
        self._head_bytes = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Add a part of the URL."""
        super().on_url(url)
        if len(self.url) > self._limits.url_bytes:
            raise UrlTooLongError(f"The URL of a request may have at most {self._limits.url_bytes:,} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header, or a trailer after a chunked body."""
        self._head_bytes += len(name) + len(value)
        if self._phase is Phase.BODY:
            # Trailers are not used.
            is_too_much = self._head_bytes > self._limits.head_bytes
        else:
            super().on_header(name, value)
            is_too_much = self._head_bytes > self._limits.head_bytes or len(self.headers) > self._limits.headers
        if is_too_much:
            raise self._headers_too_large()

    def on_headers_complete(self) -> None:
        """Start the request, with the client's own address if a proxy names it."""
        if self._phase is Phase.IGNORED:
            return
        self._unreported_bytes = 0
        if self.parser.get_http_version() not in _VERSIONS:
            raise HttpVersionError("This server speaks HTTP/1.1.")
        if any(name == b"transfer-encoding" and value.strip().lower() != b"chunked" for name, value in self.headers):
            # The parser removes only the chunks, and would pass on what is inside as the body.
            raise TransferCodingError("The only Transfer-Encoding of this server is chunked.")
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            # A proxy may read another one of several than the server does (RFC 9112 section 3.2).
            raise BadRequestError("A request has exactly one Host header.")
        believe_proxies(self.scope, self._shared.trusted_proxies)  # type: ignore[arg-type]
        if len(self.pipeline) >= self._limits.pipelined:
            # Earlier requests are still unanswered, so the server cannot send a refusal yet.
            self._close()
            return
        super().on_headers_complete()
        self._begin(Phase.BODY)

    def on_chunk_header(self) -> None:
        """Note that a chunk begins."""
        self._unreported_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        if self._phase is Phase.IGNORED or self._becomes_websocket():
            return
        self._unreported_bytes = 0
        self._body_bytes += len(body)
        if self.cycle.response_complete:
            if self._body_bytes > self._limits.body_bytes:
                self._end_reading()
            return
        # Data over the limit of a body is not kept.
        room = self._limits.body_bytes - (self._body_bytes - len(body))
        if room > 0:
            self._hold(min(len(body), room))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        if self._phase is Phase.IGNORED:
            return
        super().on_message_complete()
        self._unreported_bytes = 0
        self._phase = Phase.NOTHING
        if self._lease is not None:
            self._lease.finish()

    def on_response_complete(self) -> None:
        """Release what the request held, and wait for the next one."""
        super().on_response_complete()
        if not self.pipeline:
            self._release_lease()

    def handle_websocket_upgrade(self) -> None:
        """Pass the connection to the WebSocket protocol. It is still counted."""
        if self._is_unanswered:
            # Otherwise the answer to the previous request would be sent between the frames.
            self._close()
            return
        if self._counted is not None and self._shared.trusted_proxies and self.scope["client"] is not None:
            try:
                self._counted.move(self.scope["client"][0])
            except RateLimitedError as error:
                self._refuse(error)
                return
        self._release_unread()
        self.reading.release()
        factory: Any = self.ws_protocol_class
        self.ws_protocol_class = partial(factory, counted=self._counted)  # type: ignore[assignment]
        super().handle_websocket_upgrade()
        self.transport.set_protocol(PacedReader(cast("Paced", self.transport.get_protocol()), self._shared.buffer))
        self._leave()
        # The parser refers to this object. Break the cycle, or both wait for the garbage collector.
        self.parser = None  # type: ignore[assignment]
        self._phase = Phase.IGNORED

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        # Uvicorn's type says that there always is one.
        return self.cycle

    @property
    def _is_unanswered(self) -> bool:
        cycle = self._cycle
        return cycle is not None and not cycle.response_complete

    def _becomes_websocket(self) -> bool:
        return self.parser.should_upgrade() and self._should_upgrade()

    # ----------------------------------------------------------------------------------------------------- refusals

    def send_400_response(self, msg: str) -> None:
        """Send the reason as a problem document."""
        self._refuse(BadRequestError(msg))

    def _refuse(self, error: ChatError) -> None:
        """Answer with a problem document if the client expects an answer, and end the connection."""
        if self._phase is Phase.IGNORED or self.transport.is_closing():
            return
        cycle, was, is_unanswered = self._cycle, self._phase, self._is_unanswered
        self._discard_input()
        _LOG.debug("request_refused", code=error.code, client=self.client[0] if self.client else None)
        # While an earlier request is unanswered, the client would take this for its answer.
        if cycle is not None and is_unanswered and (was is not Phase.BODY or cycle.response_started or self.pipeline):
            self._close()
            return
        self._drop_requests()
        self.transport.write(last_answer(error))
        self._end_reading()

    def _end_reading(self) -> None:
        # If a connection is closed while the client still sends, it is reset, and the client may never see the answer.
        self._discard_input()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _discard_input(self) -> None:
        self._begin(Phase.IGNORED)
        self._unset_keepalive_if_required()
        self._release_lease()
        self.reading.release()

    def _headers_too_large(self) -> ChatError:
        allowed = self._limits
        return HeadersTooLargeError(
            f"A request may have at most {allowed.headers} headers with {allowed.head_bytes:,} bytes in total."
        )

    # ------------------------------------------------------------------------------------------------------- memory

    def _hold(self, size: int) -> None:
        if self._lease is None:
            client = self.scope["client"]
            self._lease = self._shared.intake.open(address_group(client[0]) if client else "", self._give_up)
        self._lease.grow(size)

    def _give_up(self) -> None:
        self._refuse(
            UnavailableError(
                "The server has too many unfinished requests. Try again in a moment.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        )

    def _hold_unread(self) -> None:
        """Count what the client has not read. When all clients together leave too much unread, one of them is cut."""
        if self._unread_lease is None:
            scope_client = self.scope["client"] if self._cycle is not None else self.client
            group = address_group(scope_client[0]) if scope_client else ""
            self._unread_lease = self._shared.unread.open(group, self._cut_unread)
        self._unread_lease.grow(self._unread_bytes - self._unread_lease.size)

    def _cut_unread(self) -> None:
        # Not at once: this may be in the middle of a write.
        self.loop.call_soon(self.transport.abort)

    def _release_unread(self) -> None:
        if self._unread_lease is not None:
            self._unread_lease.release()
            self._unread_lease = None

    def _release_lease(self) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    # --------------------------------------------------------------------------------------------------------- time

    def _begin(self, phase: Phase) -> None:
        self._phase = phase
        self._since = self.loop.time()

    def pause_writing(self) -> None:
        """Note that the client does not read its answer."""
        super().pause_writing()
        self._unread_since = self.loop.time()
        self._unread_bytes = self.transport.get_write_buffer_size()
        self.reading.stop(UNREAD)
        self._hold_unread()

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        self._unread_since = None
        self.reading.resume(UNREAD)
        self._release_unread()

    def check_time(self, now: float) -> None:
        """End the connection if its client takes too long."""
        since_last_check, self._checked_at = now - self._checked_at, now
        if self._unread_since is not None:
            self._check_unread(now - self._unread_since)
        elif self.transport.is_closing():
            # Closing waits until the client has read the rest.
            if self._closing_since is None:
                self._closing_since = now
            elif now - self._closing_since > self._time_to_close_s():
                self.transport.abort()
        elif self._phase is Phase.IGNORED:
            if now - self._since > self._limits.linger_s:
                self.transport.abort()
        elif self._phase is Phase.HEAD:
            if now - self._since > self._limits.head_s:
                self._refuse_late("The headers did not arrive in time.")
        elif self._phase is Phase.BODY:
            self._check_body(now, since_last_check)

    def _time_to_close_s(self) -> float:
        return self._limits.read_s if self.transport.get_write_buffer_size() else self._limits.linger_s

    def _check_unread(self, elapsed_s: float) -> None:
        if elapsed_s <= self._limits.read_s:
            return
        unread, before = self.transport.get_write_buffer_size(), self._unread_bytes
        if before - unread < self._limits.body_bytes_per_s * self._limits.read_s:
            self.transport.abort()
            return
        self._unread_since, self._unread_bytes = self.loop.time(), unread
        self._hold_unread()

    def _check_body(self, now: float, since_last_check: float) -> None:
        cycle = self._cycle
        is_awaited = cycle is not None and cycle.waiting_for_100_continue
        if is_awaited or self.reading.is_stopped:
            # The client waits for the server here, not the other way round.
            self._since += since_last_check
            return
        if now - self._since > self._limits.body_s + self._body_bytes / self._limits.body_bytes_per_s:
            self._refuse_late("The body did not arrive in time.")

    def _refuse_late(self, detail: str) -> None:
        if self._phase is Phase.BODY and self._cycle is not None and not self._is_unanswered:
            self.transport.close()
            return
        if self._phase is Phase.HEAD and not self._unreported_bytes:
            # The client has sent no request: browsers open connections in advance, and an answer would only confuse
            # them.
            self.transport.close()
            return
        self._refuse(RequestTimeoutError(detail))
