"""Counts the attempts to send queued messages, for many users with one command, while they are brought up to date."""

import asyncio

import structlog

from chat_mvp.errors import UnavailableError
from chat_mvp.storage.queue import Attempt, Queue

_AT_ONCE = 500
_MAX_WAITING = 20_000
"""Attempts that wait to be counted. Further ones are not counted: the count only helps to find out what went wrong."""

_LOG = structlog.get_logger(__name__)


class Attempts:
    """Counts attempts in the background. An attempt whose count fails is not counted."""

    def __init__(self, queue: Queue) -> None:
        """Count in the entries of ``queue``."""
        self._queue = queue
        self._waiting: list[Attempt] = []
        self._task: asyncio.Task[None] | None = None

    def add(self, attempts: list[Attempt]) -> None:
        """Count one attempt for each of these messages soon, as far as they have entries."""
        if len(self._waiting) >= _MAX_WAITING:
            return
        self._waiting += attempts
        if self._task is None and self._waiting:
            self._task = asyncio.get_running_loop().create_task(self._count_all(), name="attempts")

    def close(self) -> None:
        """Count no more."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _count_all(self) -> None:
        try:
            while self._waiting:
                attempts, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
                await self._count(attempts)
        finally:
            self._task = None

    async def _count(self, attempts: list[Attempt]) -> None:
        try:
            await self._queue.count_attempts(attempts)
        except UnavailableError as error:
            _LOG.warning("attempts_not_counted", attempts=len(attempts), error=error.detail)
