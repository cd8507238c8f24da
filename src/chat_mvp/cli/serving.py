"""Runs uvicorn with the program's own socket, signal handling and order of stopping."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, cast

import structlog
import uvicorn

from chat_mvp.cli.listening import BACKLOG, room_for_connections
from chat_mvp.limits import KEEP_ALIVE_S, MAX_CONNECTIONS, MAX_FRAME_BYTES, MAX_INTAKE_BYTES, MAX_UNREAD_BYTES
from chat_mvp.realtime.wire import ChatWebSocketProtocol
from chat_mvp.settings import Settings
from chat_mvp.transport.connections import ConnectionCounts
from chat_mvp.transport.http_protocol import ChatHttpProtocol
from chat_mvp.transport.intake import IntakeBudget
from chat_mvp.transport.reading import ReadBuffer
from chat_mvp.transport.shared import HttpLimits, Shared
from chat_mvp.transport.watch import Watch

APPLICATION_STOPS_WITHIN_S = 4.0
REQUESTS_END_WITHIN_S = 2
STOP_WITHIN_S = 9.5
"""The contract says ten seconds from signal to exit."""

EXIT_FORCED = 130
EXIT_STUCK = 1

_LOG = structlog.stdlib.get_logger(__name__)


class ChatServer(uvicorn.Server):
    """A uvicorn server that leaves signals to ``StopSignals`` and reports when it listens."""

    def __init__(self, config: uvicorn.Config, *, on_ready: Callable[[], None]) -> None:
        """Call ``on_ready`` when requests are answered."""
        super().__init__(config)
        self._on_ready = on_ready
        self._listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers unchanged."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then accept requests."""
        await super().startup(sockets)
        self._listens.set()
        self._on_ready()

    async def until_started(self) -> None:
        """Wait until the server accepts requests. While it is starting, it cannot be stopped."""
        await self._listens.wait()

    def refuse_newcomers(self) -> None:
        """Stop listening. Existing connections stay."""
        for server in self.servers:
            server.close()


def shared_by_connections(settings: Settings) -> Shared:
    """Return the shared state of all connections, with the limits of ``chat_mvp.limits`` and the settings."""
    return Shared(
        counts=ConnectionCounts(
            max_total=min(MAX_CONNECTIONS, room_for_connections()),
            max_per_address=settings.max_connections_per_address,
        ),
        intake=IntakeBudget(MAX_INTAKE_BYTES),
        unread=IntakeBudget(MAX_UNREAD_BYTES),
        watch=Watch(),
        buffer=ReadBuffer(),
        trusted_proxies=settings.trusted_proxies if settings.trust_proxy else 0,
        limits=HttpLimits(),
    )


def configured(app: Any, settings: Settings, shared: Shared) -> uvicorn.Config:
    """Return uvicorn's configuration to run ``app`` according to the contract."""
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=cast("Any", partial(ChatHttpProtocol, shared=shared)),
        ws=cast("Any", partial(ChatWebSocketProtocol, shared=shared)),
        ws_max_size=MAX_FRAME_BYTES,
        # A ping every interval, and one more interval for the answer: a silent peer is gone after twice the interval.
        ws_ping_interval=settings.heartbeat_seconds,
        ws_ping_timeout=settings.heartbeat_seconds,
        # Chat frames are short. Compression would save little and use about 40 KB for every idle connection.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        # The protocols above do it. Uvicorn would trust the first address of the list, which the client writes.
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=cast("int", KEEP_ALIVE_S),
        timeout_graceful_shutdown=REQUESTS_END_WITHIN_S,
    )


class StopSignals:
    """Handles SIGTERM and SIGINT: the first signal starts a clean stop, a second SIGINT ends the process at once.

    While the program still starts, the first signal cancels the start.
    """

    def __init__(self, *, stop_within_s: float = STOP_WITHIN_S) -> None:
        """Control the task that starts and runs the server, and handle the signals from now on.

        A stop that takes longer than ``stop_within_s`` is ended by force, with exit code 1.
        """
        self._stop_within_s = stop_within_s
        self._loop = asyncio.get_running_loop()
        self._main = asyncio.current_task()
        self._stop: Callable[[], Awaitable[None]] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.received = False
        for number in (signal.SIGINT, signal.SIGTERM):
            if sys.platform == "win32":
                signal.signal(number, lambda it, _: self._loop.call_soon_threadsafe(self._arrived, it))
            else:
                self._loop.add_signal_handler(number, self._arrived, number)

    def then(self, stop: Callable[[], Awaitable[None]]) -> None:
        """Stop with ``stop`` from now on, instead of cancelling the task.

        ``asyncio.CancelledError`` when a signal has arrived already. It has cancelled the start, but the database
        driver swallows a cancellation that comes while it receives an answer, so the start continued.
        """
        if self.received:
            raise asyncio.CancelledError
        self._stop = stop

    def _arrived(self, number: int) -> None:
        if self.received:
            if number == signal.SIGINT:
                os._exit(EXIT_FORCED)
            return
        self.received = True
        # Use a thread, because the event loop itself may hang.
        deadline = threading.Timer(self._stop_within_s, _give_up)
        deadline.daemon = True
        deadline.start()
        if self._stop is not None:
            self._stopping = asyncio.ensure_future(self._stop())
        elif self._main is not None:
            self._main.cancel()


async def stop_cleanly(server: ChatServer, stop_application: Callable[[], Awaitable[None]]) -> None:
    """Accept no new connections, stop the application (see ``Runtime.stop``), then let uvicorn end."""
    _LOG.info("stopping")
    await server.until_started()
    try:
        server.refuse_newcomers()
        async with asyncio.timeout(APPLICATION_STOPS_WITHIN_S):
            await stop_application()
    except TimeoutError:
        _LOG.warning("application_did_not_stop_in_time", after_s=APPLICATION_STOPS_WITHIN_S)
    except Exception:  # noqa: BLE001 - the server must end after every error
        _LOG.exception("application_failed_to_stop")
    finally:
        server.should_exit = True


def _give_up() -> None:
    _LOG.error("stop_forced")
    os._exit(EXIT_STUCK)
