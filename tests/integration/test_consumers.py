"""Consumers on a real replica set: each event, in order, whatever fails in between, and by one process at a time."""

import asyncio
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo.errors import AutoReconnect, DuplicateKeyError
from structlog.testing import capture_logs

from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.consumers.timing import Timing
from chat_mvp.errors import StartupError, UnavailableError
from chat_mvp.events.codec import encode_events
from chat_mvp.events.types import Event, MarksRaised
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.consumers import ConsumerRecord, Consumers, Progress
from chat_mvp.storage.event_stream import Cursor, CursorLostError, fetch_cursor, open_event_stream
from chat_mvp.storage.events import event_document
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.load import open_load
from chat_mvp.storage.schema import BACKED_UP, EMPTIED_BY_A_RESTORE, EVENT_COLLECTIONS
from chat_mvp.times import utc_now
from tests.support.consuming import NAME, Recorder, Running, marks, session_ended, store, store_each
from tests.support.replset import ThreeNodes
from tests.support.server import environment
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUICK = Timing(
    lease_s=1.0,
    renew_s=0.2,
    poll_s=0.05,
    save_s=0.02,
    retry_check_s=0.05,
    first_pause_s=0.01,
    longest_pause_s=0.05,
    max_attempts=3,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"consumers_{secrets.token_hex(4)}", queue_ttl_days=30)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def database(opened: Database) -> Database:
    for name in (*EVENT_COLLECTIONS, "seen"):
        await opened.collections[name].delete_many({})
    return opened


def running(database: Database, *consumers: Recorder, timing: Timing = QUICK) -> Running:
    return Running(database, *consumers, timing=timing)


async def state(database: Database) -> ConsumerRecord | None:
    """Return what is stored of the only consumer, once it is registered."""
    found = await Consumers(database.collections).fetch()
    return found[0] if found else None


async def is_running(database: Database) -> bool:
    record = await state(database)
    return record is not None and record.state == "running"


async def started(database: Database) -> None:
    await eventually(lambda: is_running(database), bool)


async def seen(recorder: Recorder, count: int) -> list[int]:
    async def numbers() -> list[int]:
        return recorder.seen

    return await eventually(numbers, lambda found: len(found) >= count)


class Failing:
    """Raises for the events with these numbers, as often as said."""

    def __init__(self, error: BaseException, failures: dict[int, int]) -> None:
        self._error = error
        self.failures = failures

    async def __call__(self, event: Event) -> None:
        assert isinstance(event, MarksRaised)
        if self.failures.get(event.delivered_seq, 0) > 0:
            self.failures[event.delivered_seq] -= 1
            raise self._error


async def test_events_come_in_the_order_of_the_commits_and_only_those_that_are_wanted(database: Database) -> None:
    recorder = Recorder()
    async with running(database, recorder):
        await started(database)
        await store(database, session_ended(1), marks(1), marks(2))
        await store(database, session_ended(2))
        await store(database, marks(3))
        assert await seen(recorder, 3) == [1, 2, 3]
        # Of a transaction that is aborted, nothing is seen.
        async with database.client.start_session() as session:
            with suppress(RuntimeError):
                async with await session.start_transaction():
                    document = event_document([marks(99)], now=utc_now(), process="p")
                    await database.collections["events"].insert_one(document, session=session)
                    raise RuntimeError
        await store(database, marks(4))
        assert await seen(recorder, 4) == [1, 2, 3, 4]
    record = await state(database)
    assert record is not None
    assert (record.handled, record.state, record.error, record.is_owned) == (4, "running", None, False)
    assert recorder.rebuilds == 1


async def test_one_that_was_away_catches_up_and_is_not_rebuilt(database: Database) -> None:
    async with running(database, Recorder()):
        await started(database)
    await store_each(database, range(5_000))
    recorder = Recorder()
    async with running(database, recorder):
        assert await seen(recorder, 5_000) == list(range(5_000))
    assert recorder.rebuilds == 0
    assert max(recorder.calls) <= 500


async def test_the_others_go_on_when_one_event_cannot_be_handled(database: Database) -> None:
    failing = Failing(RuntimeError("a fault with a $dollar in its text"), {3: 1_000})
    recorder = Recorder(before=failing)
    consumers = Consumers(database.collections)
    async with running(database, recorder) as it:
        await started(database)
        with capture_logs() as logs:
            await store(database, *map(marks, range(1, 6)))
            assert await seen(recorder, 4) == [1, 2, 4, 5]
        assert [log["event"] for log in logs if log["log_level"] == "error"] == ["event_set_aside"]
        (entry,) = await consumers.fetch_set_aside(limit=10)
        assert (entry.consumer, entry.event) == (NAME, encode_events([marks(3)])[1:-1])
        assert entry.error == "RuntimeError: a fault with a $dollar in its text"
        assert failing.failures[3] == 1_000 - 1 - QUICK.max_attempts
        assert it.runner.set_aside() == {NAME: 1}
        # Another attempt fails, then one succeeds.
        assert await consumers.retry_set_aside(entry.id)
        await eventually(lambda: consumers.fetch_set_aside(retry=False, limit=10), bool)
        assert failing.failures[3] == 1_000 - 2 - QUICK.max_attempts
        failing.failures.clear()
        assert await consumers.retry_set_aside(entry.id)
        await eventually(lambda: consumers.fetch_set_aside(limit=10), lambda found: not found)
        assert recorder.seen == [1, 2, 4, 5, 3]
    assert it.supervisor.problem() is None


async def test_an_event_that_fails_a_few_times_keeps_its_place(database: Database) -> None:
    recorder = Recorder(before=Failing(RuntimeError("a fault"), {1: 2, 2: 2}))
    async with running(database, recorder) as it:
        await started(database)
        await store(database, marks(1))
        await store(database, marks(2), marks(3))
        assert await seen(recorder, 3) == [1, 2, 3]
        assert it.runner.failed() == {NAME: 4}
        assert it.runner.set_aside() == {NAME: 0}


async def test_while_the_database_is_away_nothing_is_set_aside(database: Database) -> None:
    away = UnavailableError("The database cannot answer just now.", retry_after_ms=1)
    recorder = Recorder(before=Failing(away, {1: 3 * QUICK.max_attempts, 2: 3 * QUICK.max_attempts}))
    async with running(database, recorder) as it:
        await started(database)
        await store(database, marks(1))
        await store(database, marks(2), marks(3))
        assert await seen(recorder, 3) == [1, 2, 3]
        assert it.runner.set_aside() == {NAME: 0}


async def test_a_consumer_that_ends_with_a_cancellation_fails_as_with_any_other_error(database: Database) -> None:
    class Cancelled(Recorder):
        async def rebuild(self) -> None:
            await super().rebuild()
            if self.rebuilds == 1:
                raise asyncio.CancelledError

    recorder = Cancelled(before=Failing(asyncio.CancelledError(), {1: 2, 3: 1_000}))
    async with running(database, recorder) as it:
        await started(database)
        await store(database, marks(1))
        await store(database, *map(marks, range(2, 5)))
        assert await seen(recorder, 3) == [1, 2, 4]
        assert it.runner.set_aside() == {NAME: 1}
        assert recorder.rebuilds == 2


async def test_an_unknown_type_is_passed_over_with_one_warning(database: Database) -> None:
    recorder = Recorder()
    async with running(database, recorder):
        await started(database)
        with capture_logs() as logs:
            for number in range(3):
                document = event_document([marks(number)], now=utc_now(), process="p")
                document["body"] = f'[{{"type":"from.the.future"}},{document["body"][1:]}'
                await database.collections["events"].insert_one(document)
            assert await seen(recorder, 3) == [0, 1, 2]
    unknown = [log["type"] for log in logs if log["event"] == "unknown_event_type"]
    assert unknown == ["from.the.future"]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('[{"type":"marks.raised"}]', '{"type":"marks.raised"}'),
        ("nonsense", "nonsense"),
        ("[7]", "7"),
        (None, "None"),
        (7, "7"),
    ],
)
async def test_a_damaged_event_is_set_aside(database: Database, body: str | int | None, kept: str) -> None:
    recorder = Recorder()
    consumers = Consumers(database.collections)
    async with running(database, recorder):
        await started(database)
        document = event_document([marks(1)], now=utc_now(), process="p")
        await database.collections["events"].insert_one(document | {"body": body})
        await store(database, marks(2))
        assert await seen(recorder, 1) == [2]
        (entry,) = await consumers.fetch_set_aside(limit=10)
        assert entry.event == kept
        assert await consumers.retry_set_aside(entry.id)
        await eventually(lambda: consumers.fetch_set_aside(retry=False, limit=10), bool)


async def test_a_consumer_rebuilds_when_the_events_were_removed(database: Database) -> None:
    recorder = Recorder()
    async with running(database, recorder):
        await started(database)
        await store(database, marks(1))
        await seen(recorder, 1)
        with capture_logs() as logs:
            await database.collections["events"].drop()

            async def rebuilds() -> int:
                return recorder.rebuilds

            await eventually(rebuilds, lambda count: count == 2)
        await started(database)
        await store(database, marks(2))
        assert await seen(recorder, 2) == [1, 2]
    assert [log["event"] for log in logs if log["log_level"] == "error"] == ["events_lost"]


async def test_a_consumer_rebuilds_when_its_cursor_is_not_in_the_log_any_more(database: Database) -> None:
    async with running(database, Recorder()):
        await started(database)
    await database.collections["consumers"].update_one({}, {"$set": {"cursor": await gone(database)}})

    class DuringRebuild(Recorder):
        async def rebuild(self) -> None:
            # What is committed while it rebuilds is given to it afterwards.
            await store(database, marks(1))
            await super().rebuild()

    recorder = DuringRebuild()
    async with running(database, recorder):
        assert await seen(recorder, 1) == [1]
    assert recorder.rebuilds == 1


async def gone(database: Database) -> Cursor:
    """Return a cursor that the database once could have given, for an event that is not in its log."""
    async with open_event_stream(database.streams, after=await fetch_cursor(database.streams)) as stream:
        await store(database, marks(0))
        (stored,) = await eventually(lambda: stream.fetch(limit=1, within_s=1), bool)
    # Only when it comes to a later event, the database sees that the one of the cursor is not there.
    await store(database, marks(0))
    data = stored.cursor["_data"]
    assert stored.id in data.lower()
    return {"_data": data.replace(stored.id.upper(), new_id().upper())}


@pytest.mark.parametrize("cursor", [{"_data": "00"}, {"_data": "zz"}, {"_data": 7}, {}])
async def test_a_damaged_cursor_is_lost(database: Database, cursor: dict[str, Any]) -> None:
    with pytest.raises(CursorLostError):
        async with open_event_stream(database.streams, after=cursor) as stream:
            await stream.fetch(limit=1, within_s=1)


async def test_a_rebuild_that_fails_is_tried_again(database: Database) -> None:
    class FailingTwice(Recorder):
        async def rebuild(self) -> None:
            await super().rebuild()
            if self.rebuilds < 3:
                raise RuntimeError("a fault")

    recorder = FailingTwice()
    async with running(database, recorder) as it:
        await started(database)
        assert recorder.rebuilds == 3
        assert it.runner.failed() == {NAME: 2}
        await store(database, marks(1))
        await seen(recorder, 1)


async def test_the_cursor_moves_on_without_any_event_that_is_wanted(database: Database) -> None:
    async with running(database, Recorder(), timing=QUICK._replace(idle_save_s=0.05)):
        await started(database)
        before = await state(database)
        assert before is not None
        await store(database, *map(session_ended, range(100)))
        await eventually(lambda: state(database), lambda now: now is not None and now.cursor != before.cursor)


async def test_a_clean_stop_hands_over_at_once(database: Database) -> None:
    first, second = Recorder(), Recorder()
    patient = QUICK._replace(lease_s=60.0)
    async with running(database, second, timing=patient):
        await started(database)
        async with running(database, first, timing=patient):
            await store(database, marks(1))
            await seen(second, 1)
            assert first.seen == []
            # Whoever begins later does not take it over.
        await store(database, marks(2))
        await seen(second, 2)
    third = Recorder()
    begun = time.monotonic()
    async with running(database, third, timing=patient):
        await store(database, marks(3))
        await seen(third, 1)
    assert time.monotonic() - begun < 5
    # Nothing is handled again after a clean stop.
    assert (second.seen, third.seen) == ([1, 2], [3])


async def test_one_that_lost_its_lease_changes_nothing(database: Database) -> None:
    entered, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(event: Event) -> None:
        entered.set()
        await may_go_on.wait()

    late, other = Recorder(before=wait), Recorder()
    consumers = Consumers(database.collections)
    async with running(database, late):
        await started(database)
        await store(database, marks(1))
        await entered.wait()
        # As a process whose event loop or machine stood still finds it.
        await database.collections["consumers"].update_one(
            {"_id": NAME}, {"$set": {"owner": "other", "leased_until": utc_now()}}
        )
        cursor = await fetch_cursor(database.streams)
        assert not await consumers.advance(NAME, "late", Progress(cursor=cursor, at=None, handled=1))
        assert not await consumers.renew(NAME, "late", lease_ms=1_000)
        assert not await consumers.release(NAME, "late")
        async with running(database, other):
            assert await seen(other, 1) == [1]
    assert late.seen == []


async def test_one_that_was_killed_is_taken_over_within_ten_seconds(database: Database, mongo_uri: str) -> None:
    name = database.collections.name
    command = [sys.executable, "-m", "tests.support.consuming", mongo_uri, name]
    process = subprocess.Popen(command, env=environment({}))  # noqa: ASYNC220  (returns at once)
    try:
        await started(database)
        storing = asyncio.create_task(store_slowly(database, range(300)))
        rows = database.collections["seen"]
        await eventually(lambda: rows.count_documents({}), lambda count: count >= 50)
        process.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        process.wait()
        # The timing of a real server.
        recorder = Recorder()
        async with running(database, recorder, timing=Timing()):

            async def has_begun() -> bool:
                return bool(recorder.seen)

            await eventually(has_begun, bool, within=15)
            assert time.monotonic() - killed_at < 10
            await storing
            await seen(recorder, 300 - recorder.seen[0])
        before = [row["number"] for row in await rows.find(sort=[("_id", 1)]).to_list(None)]
        # In order, with no gap between the two; what was handled last is handled again.
        assert before == list(range(len(before)))
        assert recorder.seen == list(range(recorder.seen[0], 300))
        assert recorder.seen[0] <= len(before)
    finally:
        process.kill()
        process.wait()


async def store_slowly(database: Database, numbers: range) -> None:
    for number in numbers:
        document = event_document([marks(number)], now=utc_now(), process="p")
        while True:
            # Storing it again is refused when it was stored.
            with suppress(AutoReconnect):
                with suppress(DuplicateKeyError):
                    await database.collections["events"].insert_one(document)
                break
        await asyncio.sleep(0.005)


async def test_an_election_loses_nothing_and_changes_no_order(tmp_path: Path) -> None:
    async with ThreeNodes(tmp_path) as nodes:
        database = await open_database(nodes.uri, "elections", queue_ttl_days=30)
        recorder = Recorder()
        async with running(database, recorder) as it:
            await started(database)
            await store_slowly(database, range(50))
            await nodes.kill_primary()
            await store_slowly(database, range(50, 100))
            numbers = await seen(recorder, 100)
            assert it.runner.set_aside() == {NAME: 0}
        await database.close()
    # What was handled last before the election may come again.
    assert list(dict.fromkeys(numbers)) == list(range(100))
    assert recorder.rebuilds == 1


async def test_each_consumer_has_a_pace_of_its_own(database: Database) -> None:
    async def never(event: Event) -> None:
        await asyncio.Event().wait()

    slow, fast = Recorder("slow", before=never), Recorder("fast")
    async with running(database, slow, fast) as it:
        await eventually(lambda: Consumers(database.collections).fetch(), lambda found: all_running(found, 2))
        await store(database, marks(1))
        await seen(fast, 1)
        await asyncio.sleep(0.2)
        lags = it.runner.lags_s()
        assert lags["slow"] >= 0.2
        begun = time.monotonic()
    assert time.monotonic() - begun < QUICK.grace_s + 1
    assert slow.seen == []


def all_running(found: list[ConsumerRecord], count: int) -> bool:
    return len(found) == count and all(record.state == "running" for record in found)


async def test_readiness_names_one_that_is_stuck(database: Database) -> None:
    recorder = Recorder(before=Failing(UnavailableError("not now", retry_after_ms=1), {1: 1_000_000}))
    async with running(database, recorder) as it:
        await started(database)
        assert it.runner.problem() is None
        await store(database, marks(1))

        async def failed() -> float:
            return it.runner.failed()[NAME]

        await eventually(failed, bool)
        # It fails for a moment only.
        assert it.runner.problem() is None
    hasty = QUICK._replace(stuck_after_s=0.3, failing_after_s=0.2)
    async with running(database, recorder, timing=hasty) as it:

        async def problem() -> str | None:
            return it.runner.problem()

        said = await eventually(problem)
        # How far behind depends on how long the second start took.
        assert re.fullmatch(rf"The consumer {NAME} fails \(UnavailableError\) and is \d+ s behind\.", said)


async def test_readiness_names_one_that_does_not_return(database: Database) -> None:
    returns = asyncio.Event()

    async def wait(_: Event) -> None:
        await returns.wait()

    recorder = Recorder(before=wait)
    async with running(database, recorder, timing=QUICK._replace(stuck_after_s=0.5)) as it:

        async def problem() -> str | None:
            return it.runner.problem()

        await started(database)
        begun = time.monotonic()
        await store(database, marks(1))
        said = await eventually(problem)
        assert time.monotonic() - begun > 0.5
        assert re.fullmatch(rf"The consumer {NAME} has not returned from handle for \d+ s\.", said)
        returns.set()
        assert await seen(recorder, 1) == [1]
        assert it.runner.problem() is None


async def test_a_process_that_lost_the_lease_sets_nothing_aside(database: Database) -> None:
    consumers = Consumers(database.collections)
    await consumers.register(NAME, ["marks.raised"])
    assert await consumers.claim(NAME, "first", lease_ms=0) is not None
    assert await consumers.set_aside(NAME, "first", "s" * 24, 0, event="{}", error="an error")
    assert await consumers.claim(NAME, "second", lease_ms=10_000) is not None
    assert not await consumers.set_aside(NAME, "first", "s" * 24, 1, event="{}", error="an error")
    assert await consumers.count_set_aside() == {NAME: 1}
    document = await database.collections["consumers"].find_one({"_id": NAME})
    assert document is not None
    assert document["set_aside"] == 1


async def test_an_event_that_fails_while_another_process_claims_the_consumer_is_left_to_it(database: Database) -> None:
    async def claim_and_fail(_: Event) -> None:
        await database.collections["consumers"].update_one({"_id": NAME}, {"$set": {"owner": "another"}})
        raise RuntimeError("a fault")

    timing = QUICK._replace(max_attempts=1, renew_s=60.0, poll_s=60.0)
    async with running(database, Recorder(before=claim_and_fail), timing=timing) as it:

        async def owns() -> bool:
            return NAME in it.runner.lags_s()

        await started(database)
        await store(database, marks(1))
        await eventually(owns, lambda is_owner: not is_owner)
        assert it.runner.set_aside() == {NAME: 0}
    assert await Consumers(database.collections).count_set_aside() == {}


async def test_a_new_epoch_makes_consumers_rebuild(mongo_uri: str) -> None:
    name = f"renewed_{secrets.token_hex(4)}"
    database = await open_database(mongo_uri, name, queue_ttl_days=30)
    async with running(database, Recorder()):
        await started(database)
        await store(database, marks(1))
        (record,) = await Consumers(database.collections).fetch()
        assert record.owner is not None
        assert await Consumers(database.collections).set_aside(
            NAME, record.owner, "s" * 24, 0, event="{}", error="an error"
        )
    await database.close()
    async with open_load(mongo_uri, name, queue_ttl_days=30) as load:

        async def renewed() -> bool:
            # MongoDB sees only after a moment that the connections are closed.
            with suppress(StartupError):
                await load.renew_epoch()
                return True
            return False

        await eventually(renewed)
    database = await open_database(mongo_uri, name, queue_ttl_days=30)
    for collection in EVENT_COLLECTIONS:
        assert await database.collections[collection].count_documents({}) == 0
    recorder = Recorder()
    async with running(database, recorder):
        await started(database)
    assert recorder.rebuilds == 1
    await database.close()


async def test_a_restore_empties_what_belongs_to_another_history() -> None:
    assert set(EVENT_COLLECTIONS) <= set(EMPTIED_BY_A_RESTORE)
    assert set(EVENT_COLLECTIONS).isdisjoint(BACKED_UP)


@pytest.mark.parametrize("names", [("Search",), ("a b",), ("",), ("same", "same")])
async def test_a_name_that_will_not_do_is_refused(database: Database, names: tuple[str, ...]) -> None:
    consumers = [Recorder(name) for name in names]
    with pytest.raises(ValueError, match="name"):
        ConsumerRunner(consumers, store=Consumers(database.collections), streams=database.streams, now=utc_now)
