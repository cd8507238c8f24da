"""Calls the handler of each frame, and turns the errors of handlers into ``error`` frames."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

import structlog

from chat_mvp.errors import AlreadyConnectedError, ChatError, InternalError, RateLimitedError
from chat_mvp.protocol import AnyClientFrame, Connect
from chat_mvp.realtime.budgets import FRAME_BUDGETS
from chat_mvp.realtime.connection import Connection
from chat_mvp.security.budgets import RateLimits, pause_s

Handler = Callable[[Connection, Any], Awaitable[None] | None]
"""Handles a frame of its type. Most handlers need not wait and return nothing. The others return an awaitable."""

_LOG = structlog.get_logger(__name__)


class Dispatcher:
    """One table from frame type to handler. It is built at the start, so a type without a handler fails the start."""

    def __init__(self, rate_limits: RateLimits, *tables: Mapping[type, Handler]) -> None:
        """Join the features' tables. ``ValueError`` when a type has no handler, two handlers or no budget."""
        self._rate_limits = rate_limits
        self._handlers: dict[type, Handler] = {Connect: _already_connected}
        for handlers in tables:
            for frame_type, handler in handlers.items():
                if frame_type in self._handlers:
                    raise ValueError(f"{frame_type.__name__} has two handlers")
                self._handlers[frame_type] = handler
        missing = {*get_args(AnyClientFrame)} - ({*self._handlers} & {*FRAME_BUDGETS})
        if missing:
            raise ValueError(f"without a handler or a budget: {', '.join(sorted(t.__name__ for t in missing))}")

    def dispatch(self, connection: Connection, frame: AnyClientFrame) -> Awaitable[None] | None:
        """Handle one frame. The caller must await the result, if any. Errors are answered and never raised."""
        kind = type(frame)
        try:
            self._rate_limits.check(FRAME_BUDGETS[kind], connection.user_id)
            pending = self._handlers[kind](connection, frame)
        except Exception as error:  # noqa: BLE001  (see _answer)
            _answer(connection, frame, error)
            return asyncio.sleep(pause_s(error)) if isinstance(error, RateLimitedError) else None
        return None if pending is None else _finish(connection, frame, pending)


async def _finish(connection: Connection, frame: AnyClientFrame, pending: Awaitable[None]) -> None:
    try:
        await pending
    except Exception as error:  # noqa: BLE001  (see _answer)
        _answer(connection, frame, error)
        if isinstance(error, RateLimitedError):
            await asyncio.sleep(pause_s(error))


def _answer(connection: Connection, frame: AnyClientFrame, error: Exception) -> None:
    """Answer with an ``error`` frame. A fault of the server is answered too, and does not end the connection."""
    if not isinstance(error, ChatError):
        _LOG.error("frame failed", frame=type(frame).__name__, exc_info=error)
        error = InternalError("The server failed to handle this frame.")
    connection.answer_error(error, frame.ref)


def _already_connected(_connection: Connection, _frame: Connect) -> None:
    raise AlreadyConnectedError("This connection is already connected.")
