"""Whether the process is alive, and whether it can do its work.

The application provides ``readiness: Readiness`` as a dependency and mounts these handlers at its root.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from litestar import get
from litestar.datastructures import CacheControlHeader
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from chat_mvp.errors import UnavailableError
from chat_mvp.ops.disk import MINIMUM_FREE_BYTES, free_bytes

WRITE_WITHIN_S = 2.0
GOOD_FOR_S = 1.0
RETRY_AFTER_MS = 1_000

_LOG = structlog.stdlib.get_logger(__name__)


class Health(Struct, kw_only=True):
    """The answer of both health checks when everything works."""

    status: str


class Readiness:
    """Whether the server can accept messages: the database accepts a majority write, and the disk has room.

    The database is asked about once a second at most, by one check at a time, however many requests there are.
    """

    def __init__(
        self,
        check_write: Callable[[], Awaitable[None]],
        task_problem: Callable[[], str | None] = lambda: None,
        *,
        disk: Path | None,
        within_s: float = WRITE_WITHIN_S,
        good_for_s: float = GOOD_FOR_S,
        minimum_free: int = MINIMUM_FREE_BYTES,
    ) -> None:
        """Call ``check_write``, which raises when no write is possible, and check ``disk`` when the data is there.

        ``task_problem`` returns which background task failed, if any. ``disk`` is a directory of the embedded database,
        or ``None`` for a database elsewhere.
        """
        self._check_write = check_write
        self._task_problem = task_problem
        self._disk = disk
        self._within_s = within_s
        self._good_for_s = good_for_s
        self._minimum_free = minimum_free
        self._check: asyncio.Task[str | None] | None = None
        self._checked_at = 0.0

    async def problem(self) -> str | None:
        """Return a text for the operator with the reason why the server is not ready, or ``None`` when it is ready."""
        if self._check is None or (self._check.done() and time.monotonic() - self._checked_at > self._good_for_s):
            self._check = asyncio.create_task(self._look(), name="readiness")
        # Use shield: a cancelled request must not cancel the check for the others that wait for it.
        return await asyncio.shield(self._check)

    async def _look(self) -> str | None:
        try:
            # Check the disk first, because a full disk is why the database accepts no writes.
            return self._task_problem() or self._disk_problem() or await self._database_problem()
        finally:
            self._checked_at = time.monotonic()

    async def _database_problem(self) -> str | None:
        try:
            async with asyncio.timeout(self._within_s):
                await self._check_write()
        except TimeoutError:
            _LOG.warning("not_ready", reason="the database did not accept a write in time", within_s=self._within_s)
            return "The database did not accept a write in time."
        except Exception as error:  # noqa: BLE001  (for every reason, the answer is that it accepts no writes)
            _LOG.warning("not_ready", reason="the database does not accept writes", error=type(error).__name__)
            return "The database does not accept writes."
        return None

    def _disk_problem(self) -> str | None:
        if self._disk is None:
            return None
        free = free_bytes(self._disk)
        if free >= self._minimum_free:
            return None
        _LOG.warning("not_ready", reason="the disk is nearly full", free_bytes=free)
        return "The disk of the data directory is nearly full."


@get(
    "/health/live",
    cache_control=CacheControlHeader(no_store=True),
    security=[{}],
    tags=["operation"],
    summary="Whether the process is alive",
)
async def live() -> Health:
    """Answer as long as the event loop runs."""
    return Health(status="alive")


@get(
    "/health/ready",
    cache_control=CacheControlHeader(no_store=True),
    security=[{}],
    tags=["operation"],
    summary="Whether the server accepts messages",
    responses={503: ResponseSpec(data_container=None, description="It does not accept messages now (`unavailable`)")},
)
async def ready(readiness: NamedDependency[Readiness]) -> Health:
    """Answer 200 when a message sent now would be stored, and 503 ``unavailable`` otherwise."""
    problem = await readiness.problem()
    if problem is not None:
        raise UnavailableError(problem, retry_after_ms=RETRY_AFTER_MS)
    return Health(status="ready")


HANDLERS = (live, ready)
