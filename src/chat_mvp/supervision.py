"""Background tasks that must not end unnoticed: one that fails is logged and started again, and readiness says so."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog

RESTART_AFTER_S = 1.0
CANCEL_AGAIN_AFTER_S = 0.2
REPORT_FOR_S = 60.0
"""How long readiness names a task after it failed."""

_LOG = structlog.get_logger(__name__)


class Supervisor:
    """Runs background tasks for as long as the program does."""

    def __init__(
        self, *, restart_after_s: float = RESTART_AFTER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Wait ``restart_after_s`` before a failed task starts again; ``clock`` is in seconds."""
        self._restart_after_s = restart_after_s
        self._clock = clock
        self._failed_at: dict[str, float] = {}
        self.restarts = 0

    def run(self, name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run ``work`` in a task, again whenever it raises; the task ends when it returns or is cancelled."""
        return asyncio.get_running_loop().create_task(self._keep_running(name, work), name=name)

    def problem(self) -> str | None:
        """Return which task failed within the last minute, as a sentence for an operator, or ``None``."""
        now = self._clock()
        failed = sorted(name for name, at in self._failed_at.items() if now - at < REPORT_FOR_S)
        return f"A background task failed and was started again: {', '.join(failed)}." if failed else None

    async def _keep_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # noqa: BLE001  (whatever it was, what the task does must continue)
                _LOG.exception("task_failed", task=name)
            else:
                return
            self.restarts += 1
            self._failed_at[name] = self._clock()
            await asyncio.sleep(self._restart_after_s)


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when all of them have ended.

    Each is cancelled again until it ends, because the database driver swallows a cancellation that comes while it
    receives an answer.
    """
    late = {task for task in tasks if not task.done()}
    while late:
        for task in late:
            task.cancel()
        _, late = await asyncio.wait(late, timeout=CANCEL_AGAIN_AFTER_S)
