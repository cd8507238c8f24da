"""Whether the process is alive, and whether it can do its work.

The application provides ``readiness: Readiness`` as a dependency and shows these handlers at its root.
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
    """The answer of both health checks when all is well."""

    status: str


class Readiness:
    """Whether the server can take messages: the database takes a majority write, and there is room for it.

    However many ask, the database is asked at most about once a second, and by one at a time.
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
        """Ask ``check_write``, which raises when no write is possible, and look at ``disk`` when the data lies there.

        ``task_problem`` returns which background task failed, if any. ``disk`` is a directory of the embedded database,
        and None for a database elsewhere.
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
        """Return why the server is not ready, as a sentence for an operator, and None when it is."""
        if self._check is None or (self._check.done() and time.monotonic() - self._checked_at > self._good_for_s):
            self._check = asyncio.create_task(self._look(), name="readiness")
        # Shielded: who asked may go away, and the others who wait for the same answer must not lose it.
        return await asyncio.shield(self._check)

    async def _look(self) -> str | None:
        try:
            # The disk before the database, which takes no write because the disk is full.
            return self._task_problem() or self._disk_problem() or await self._database_problem()
        finally:
            self._checked_at = time.monotonic()

    async def _database_problem(self) -> str | None:
        try:
            async with asyncio.timeout(self._within_s):
                await self._check_write()
        except TimeoutError:
            _LOG.warning("not_ready", reason="the database took no write in time", within_s=self._within_s)
            return "The database did not take a write in time."
        except Exception as error:  # noqa: BLE001 - whatever the reason, the answer is that it takes no write
            _LOG.warning("not_ready", reason="the database took no write", error=type(error).__name__)
            return "The database does not take writes."
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
    """Answer as long as the event loop turns."""
    return Health(status="alive")


@get(
    "/health/ready",
    cache_control=CacheControlHeader(no_store=True),
    security=[{}],
    tags=["operation"],
    summary="Whether the server takes messages",
    responses={503: ResponseSpec(data_container=None, description="It does not, just now (`unavailable`)")},
)
async def ready(readiness: NamedDependency[Readiness]) -> Health:
    """Answer 200 when a message sent now would be stored, and 503 ``unavailable`` when not."""
    problem = await readiness.problem()
    if problem is not None:
        raise UnavailableError(problem, retry_after_ms=RETRY_AFTER_MS)
    return Health(status="ready")


HANDLERS = (live, ready)
