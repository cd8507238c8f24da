"""Jobs on a real database: each is done, whatever fails in between, and by one process at a time."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chat_mvp.jobs.runner import LONGEST_REST_S, MAX_ATTEMPTS, JobHandler, JobRunner, rest_s
from chat_mvp.storage.client import Database, RawDocument, open_database
from chat_mvp.storage.jobs import JobRecord, Jobs, NewJob, job_document
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Counting:
    """Counts down, a piece at a time, and fails the first ``failures`` times."""

    kind = "counting"

    def __init__(self, *, failures: int = 0) -> None:
        self.failures = failures
        self.seen: list[int] = []

    async def run(self, payload: RawDocument) -> RawDocument | None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a fault with a $dollar in its text")
        self.seen.append(payload["left"])
        return payload | {"left": payload["left"] - 1} if payload["left"] else None


class Stuck:
    """Never ends."""

    kind = "counting"

    async def run(self, payload: RawDocument) -> RawDocument | None:
        await asyncio.Event().wait()
        return payload


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"jobs_{secrets.token_hex(4)}", queue_ttl_days=30)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def jobs(database: Database) -> Jobs:
    await database.collections["jobs"].delete_many({})
    return Jobs(database.collections)


def runner(jobs: Jobs, handler: JobHandler, *, lease_s: float = 10.0) -> JobRunner:
    return JobRunner(jobs, [handler], lease_s=lease_s, poll_s=0.02, first_pause_s=0.001)


async def store(database: Database, kind: str = "counting", left: int = 0) -> None:
    await database.collections["jobs"].insert_one(job_document(NewJob(kind=kind, payload={"left": left}), utc_now()))


async def only(jobs: Jobs) -> JobRecord:
    (job,) = await jobs.fetch(limit=10)
    return job


async def test_a_job_is_done_piece_by_piece_and_removed(database: Database, jobs: Jobs) -> None:
    await store(database, left=2)
    handler = Counting()
    its = runner(jobs, handler)
    assert [await its.run_one() for _ in range(4)] == [True, True, True, False]
    assert handler.seen == [2, 1, 0]
    assert await jobs.fetch(limit=10) == []
    assert (its.done, its.failed) == (1, 0)


async def test_one_that_fails_is_tried_again_with_longer_pauses(database: Database, jobs: Jobs) -> None:
    await store(database)
    handler = Counting(failures=2)
    its = JobRunner(jobs, [handler], first_pause_s=30.0)
    assert await its.run_one()
    first = await only(jobs)
    assert (first.state, first.attempts, first.error) == (
        "waiting",
        1,
        "RuntimeError: a fault with a $dollar in its text",
    )
    assert 10 < (first.due_at - utc_now()).total_seconds() < 31
    assert not await its.run_one()
    assert await jobs.retry(first.id)
    assert await its.run_one()
    assert await jobs.retry(first.id)
    assert await its.run_one()
    assert handler.seen == [0]


async def test_after_too_many_attempts_it_is_set_aside(database: Database, jobs: Jobs) -> None:
    await store(database)
    await store(database, left=1)
    handler = Counting(failures=2 * MAX_ATTEMPTS)
    supervisor = Supervisor()
    its = runner(jobs, handler)
    its.start(supervisor)
    await eventually(lambda: jobs.count("dead"), lambda count: count == 2)
    assert supervisor.problem() is None
    job = (await jobs.fetch(state="dead", limit=10))[0]
    assert job.attempts == MAX_ATTEMPTS
    assert await jobs.retry(job.id)
    its.wake()
    await eventually(lambda: jobs.count("dead"), lambda count: count == 1)
    await eventually(lambda: jobs.count("waiting"), lambda count: count == 0)
    await its.stop()
    dead = await only(jobs)
    assert await jobs.remove(dead.id)
    assert not await jobs.remove(dead.id)


async def test_a_job_of_an_unknown_kind_waits_and_stops_no_other(database: Database, jobs: Jobs) -> None:
    await store(database, kind="of a later version")
    await store(database)
    handler = Counting()
    its = runner(jobs, handler)
    assert [await its.run_one(), await its.run_one()] == [True, False]
    job = await only(jobs)
    assert (job.kind, job.state, job.attempts) == ("of a later version", "waiting", 0)


async def test_a_job_of_a_process_that_ended_in_the_middle_is_taken_over(database: Database, jobs: Jobs) -> None:
    await store(database)
    lost = runner(jobs, Stuck(), lease_s=0.6)
    lost.start(Supervisor())
    await eventually(lambda: only(jobs), lambda job: job.attempts == 1)
    handler = Counting()
    other = runner(jobs, handler, lease_s=0.6)
    await asyncio.sleep(1.0)
    # As long as its owner lives, it renews the lease.
    assert not await other.run_one()
    await lost.stop()
    await eventually(other.run_one, bool)
    assert handler.seen == [0]


async def test_a_runner_that_lost_the_lease_changes_nothing(database: Database, jobs: Jobs) -> None:
    await store(database)
    mine = await jobs.claim(["counting"], "me", lease_ms=1)
    assert mine is not None
    theirs = await eventually(lambda: jobs.claim(["counting"], "them", lease_ms=60_000), lambda job: job is not None)
    assert theirs is not None
    assert not await jobs.finish(mine.id, "me")
    assert not await jobs.proceed(mine.id, "me", {"left": 7}, after_ms=0)
    assert not await jobs.postpone(mine.id, "me", "late", after_ms=0)
    assert not await jobs.renew(mine.id, "me", lease_ms=1)
    assert not await jobs.bury(mine.id, "me", "late")
    assert (await only(jobs)).payload == {"left": 0}


async def test_two_processes_share_the_work(database: Database, jobs: Jobs) -> None:
    for _ in range(20):
        await store(database)
    handlers = [Counting(), Counting()]
    runners = [runner(jobs, handler) for handler in handlers]
    for its in runners:
        its.start(Supervisor())
    await eventually(lambda: jobs.count("waiting"), lambda count: count == 0)
    for its in runners:
        await its.stop()
    assert sum(len(handler.seen) for handler in handlers) == 20
    assert sum(its.done for its in runners) == 20


async def test_the_pause_after_a_piece_is_longer_while_clients_write_and_bounded() -> None:
    assert rest_s(0.01, is_busy=False) == pytest.approx(0.02)
    assert rest_s(0.01, is_busy=True) == pytest.approx(0.09)
    assert rest_s(1.0, is_busy=False) == rest_s(1.0, is_busy=True) == LONGEST_REST_S


async def test_it_pauses_for_clients_that_have_written_since_the_pause_before(database: Database, jobs: Jobs) -> None:
    class Slow(Counting):
        async def run(self, payload: RawDocument) -> RawDocument | None:
            await asyncio.sleep(0.03)
            return await super().run(payload)

    await store(database, left=100)
    batches = 0
    running = JobRunner(jobs, [Slow()], count_batches=lambda: batches)

    async def duration() -> float:
        begun = time.monotonic()
        assert await running.run_one()
        return time.monotonic() - begun

    idle = min([await duration() for _ in range(5)])
    busy = []
    for _ in range(5):
        batches += 1
        busy.append(await duration())
    assert min(busy) >= 0.03 + LONGEST_REST_S
    assert idle < min(busy)
