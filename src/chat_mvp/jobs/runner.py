"""Runs stored jobs, one at a time in each process, with a lease, back-off and a limit on attempts."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from chat_mvp.errors import ChatError
from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.jobs import JobRecord, Jobs
from chat_mvp.supervision import Supervisor, cancel

LEASE_S = 10.0
"""After this time another process takes over a job whose process was killed."""
RENEW_AFTER_S = 3.0
POLL_S = 1.0
"""How often the database is asked for due jobs that were not announced in this process."""
MAX_ATTEMPTS = 12
FIRST_PAUSE_S = 2.0
LONGEST_PAUSE_S = 3_600.0
REST_WHEN_IDLE = 2.0
"""After each piece of a job the process pauses this many times as long as the piece took."""
REST_WHEN_BUSY = 9.0
"""The same while clients write: they come first."""
LONGEST_REST_S = 0.25
"""A long job ends even if the server is always busy. There, a piece mostly waits for the database."""
MAX_ERROR_CHARS = 500

_LOG = structlog.get_logger(__name__)


class JobHandler(Protocol):
    """Does the work of one kind of job. It may run again after it was done, so running it twice must do no harm."""

    kind: str

    async def run(self, payload: RawDocument) -> RawDocument | None:
        """Do a piece of the work. Return the payload of the remaining work, or ``None`` when all is done."""
        ...


class JobRunner:
    """Claims due jobs and runs them."""

    def __init__(
        self,
        jobs: Jobs,
        handlers: Sequence[JobHandler],
        *,
        count_batches: Callable[[], int] = lambda: 0,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        """Run the kinds of jobs of these handlers. Jobs of other kinds wait for a process that supports them.

        ``count_batches`` returns how many batches of clients' changes this process has stored since its start.
        """
        self._count_batches = count_batches
        self._batches = 0
        self._jobs = jobs
        self._handlers = {handler.kind: handler for handler in handlers}
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._first_pause_s = first_pause_s
        self._owner = secrets.token_hex(8)
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.done = 0
        self.failed = 0

    def start(self, supervisor: Supervisor) -> None:
        """Start to run jobs, in a task of ``supervisor``."""
        self._task = supervisor.run("jobs", self._run)

    async def stop(self) -> None:
        """Stop. A job that is interrupted is claimed again when its lease has expired."""
        if self._task is not None:
            await cancel([self._task])

    def wake(self) -> None:
        """Look for jobs at once, because one was just stored."""
        self._woken.set()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                is_busy = await self.run_one()
            except ChatError:
                # The database cannot answer now.
                is_busy = False
            if not is_busy:
                await self._pause()

    async def run_one(self) -> bool:
        """Run one piece of one due job. Return false when no job is due."""
        job = await self._jobs.claim(list(self._handlers), self._owner, lease_ms=_ms(self._lease_s))
        if job is None:
            return False
        renewing = asyncio.create_task(self._renew(job), name="job lease")
        started_at = time.monotonic()
        try:
            remaining = await self._handlers[job.kind].run(job.payload)
        except Exception as error:  # noqa: BLE001  (a job that fails must not stop the others)
            await self._failed(job, error)
        else:
            await self._succeeded(job, remaining)
        finally:
            renewing.cancel()
        await self._rest(time.monotonic() - started_at)
        return True

    async def _rest(self, took_s: float) -> None:
        before, self._batches = self._batches, self._count_batches()
        await asyncio.sleep(rest_s(took_s, is_busy=self._batches != before))

    async def _succeeded(self, job: JobRecord, remaining: RawDocument | None) -> None:
        if remaining is not None:
            await self._jobs.proceed(job.id, self._owner, remaining, after_ms=0)
            return
        await self._jobs.finish(job.id, self._owner)
        self.done += 1

    async def _failed(self, job: JobRecord, error: Exception) -> None:
        self.failed += 1
        reason = f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]
        if job.attempts >= MAX_ATTEMPTS:
            _LOG.error("job_dead", job=job.id, kind=job.kind, attempts=job.attempts, exc_info=error)
            await self._jobs.bury(job.id, self._owner, reason)
            return
        pause_s = min(self._first_pause_s * 2 ** (job.attempts - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1)  # noqa: S311  (jitter)
        _LOG.warning(
            "job_failed", job=job.id, kind=job.kind, attempts=job.attempts, again_in_s=round(pause_s, 1), error=reason
        )
        await self._jobs.postpone(job.id, self._owner, reason, after_ms=_ms(pause_s))

    async def _renew(self, job: JobRecord) -> None:
        while True:
            await asyncio.sleep(min(RENEW_AFTER_S, self._lease_s / 3))
            try:
                await self._jobs.renew(job.id, self._owner, lease_ms=_ms(self._lease_s))
            except ChatError:
                _LOG.warning("job_lease_not_renewed", job=job.id, kind=job.kind)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._woken.wait()
        except TimeoutError:
            return


def rest_s(took_s: float, *, is_busy: bool) -> float:
    """Return how long to pause after a piece. ``is_busy``: clients have written since the pause before."""
    return min((REST_WHEN_BUSY if is_busy else REST_WHEN_IDLE) * took_s, LONGEST_REST_S)


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)
