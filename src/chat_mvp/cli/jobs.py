"""``chat-mvp jobs``: shows waiting and failed background jobs, retries and removes them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat_mvp.cli.backend import shared_address
from chat_mvp.cli.output import complain, print_json, print_line, print_table, printable
from chat_mvp.http.params import is_id
from chat_mvp.ops.logs import configure_logs
from chat_mvp.settings import Settings
from chat_mvp.storage.jobs import JobRecord, Jobs, open_jobs
from chat_mvp.times import format_time

MAX_SHOWN = 1_000
EXIT_NOT_FOUND = 1

_Result = TypeVar("_Result")


def run_list(settings: Settings, *, as_json: bool) -> int:
    """Show the jobs and return the exit code."""
    found = _run(settings, lambda jobs: jobs.fetch(limit=MAX_SHOWN))
    if as_json:
        print_json([_described(job) for job in found])
    elif not found:
        print_line("There are no jobs.")
    else:
        rows = [tuple(str(value) for value in _described(job).values()) for job in found]
        print_table(("ID", "Kind", "State", "Due", "Attempts", "Last error"), rows)
    return 0


def run_retry(settings: Settings, job_id: str) -> int:
    """Make a job due now and return the exit code."""
    return _change(settings, job_id, lambda jobs: jobs.retry(job_id), "is due now")


def run_remove(settings: Settings, job_id: str) -> int:
    """Remove a job and return the exit code."""
    return _change(settings, job_id, lambda jobs: jobs.remove(job_id), "was removed")


def _change(settings: Settings, job_id: str, change: Callable[[Jobs], Awaitable[bool]], done: str) -> int:
    if not is_id(job_id) or not _run(settings, change):
        complain(f"There is no job {printable(job_id)}. chat-mvp jobs list shows the existing ones.")
        return EXIT_NOT_FOUND
    print_line(f"Job {job_id} {done}.")
    return 0


def _run(settings: Settings, work: Callable[[Jobs], Awaitable[_Result]]) -> _Result:
    configure_logs(shape="console", level="error")
    return asyncio.run(_with_jobs(settings, work))


async def _with_jobs(settings: Settings, work: Callable[[Jobs], Awaitable[_Result]]) -> _Result:
    async with shared_address(settings) as address, open_jobs(address.uri, settings.mongo_database) as jobs:
        return await work(jobs)


def _described(job: JobRecord) -> dict[str, str | int]:
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "due_at": format_time(job.due_at),
        "attempts": job.attempts,
        "error": printable(job.error or ""),
    }
