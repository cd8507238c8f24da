"""The sweep: it completes queues that lack entries, and costs nothing while everyone confirms."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chat_mvp.delivery.sweep import Sweep
from chat_mvp.events.types import MessageAdded
from chat_mvp.protocol import User
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.owed import OwedMessages
from chat_mvp.storage.queue import SentMessage
from chat_mvp.storage.records import SeqRange
from chat_mvp.supervision import Supervisor
from tests.unit.delivery.actions import Actions
from tests.unit.delivery.conftest import Harness, user

pytestmark = pytest.mark.asyncio(loop_scope="module")


class CountingReads(OwedMessages):
    """Counts how often messages are read in order to queue them."""

    reads = 0
    failures = 0

    async def fetch_sent(self, where: SeqRange) -> list[SentMessage]:
        self.reads += 1
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a fault")
        return await super().fetch_sent(where)


class Room:
    """A group of four who are connected, with the sweep that looks at it."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.owed = CountingReads(harness.database.collections)
        self.people: list[User] = [user(new_id()) for _ in range(4)]
        self.actions = Actions(harness, self.people, new_id())
        self.use(Sweep(writer=harness.writer, rosters=harness.rosters, owed=self.owed))

    def use(self, sweep: Sweep) -> None:
        """Let this sweep look at the group instead of the one before."""
        self.sweep = sweep
        self.harness.events._handlers.clear()
        self.harness.events.on(MessageAdded, sweep.message_added)

    async def write(self, *texts: str) -> None:
        for text in texts:
            self.actions.write(text, by=self.people[0])
        await self.actions.outcomes()

    async def confirm(self, person: User, seq: int) -> None:
        self.actions.confirm(person, seq)
        await self.actions.outcomes()

    async def look_twice(self) -> None:
        await self.sweep.look()
        await self.sweep.look()

    async def waiting(self) -> list[list[int]]:
        return [await self.actions.waiting(self.actions.group, person.id) for person in self.people]


@pytest_asyncio.fixture(loop_scope="module")
async def room(harness: Harness) -> AsyncIterator[Room]:
    room = Room(harness)
    harness.connected = {person.id for person in room.people}
    await room.actions.make(*room.people[1:])
    last = harness.rosters.get(room.actions.group).conversation.last_seq  # type: ignore[union-attr]
    for person in room.people:
        await room.confirm(person, last)
    await room.look_twice()
    yield room
    harness.events._handlers.clear()


async def test_it_writes_and_reads_nothing_while_everyone_confirms(room: Room) -> None:
    await room.write("one", "two")
    last = room.harness.rosters.get(room.actions.group).conversation.last_seq  # type: ignore[union-attr]
    for person in room.people[1:]:
        await room.confirm(person, last)
    before = room.harness.writer.batches, room.owed.reads
    await room.look_twice()
    assert (room.harness.writer.batches, room.owed.reads) == before
    assert await room.waiting() == [[], [], [], []]


async def test_a_message_is_looked_at_the_second_time(room: Room) -> None:
    await room.write("one")
    await room.sweep.look()
    assert await room.waiting() == [[], [], [], []]
    await room.sweep.look()
    _, bob, *_ = await room.waiting()
    assert len(bob) == 1


async def test_only_what_is_missing_is_added(room: Room) -> None:
    _, bob, cat, dan = room.people
    await room.write("one")
    room.harness.connected.discard(dan.id)
    await room.write("two", "three")
    last = room.harness.rosters.get(room.actions.group).conversation.last_seq  # type: ignore[union-attr]
    await room.confirm(bob, last - 1)
    await room.confirm(cat, last)
    await room.look_twice()
    assert await room.waiting() == [[], [last], [], [last - 2, last - 1, last]]


@pytest.mark.parametrize("forgotten", [False, True])
async def test_many_entries_are_added_in_several_operations(room: Room, *, forgotten: bool) -> None:
    harness = room.harness
    room.use(
        Sweep(writer=harness.writer, rosters=harness.rosters, owed=room.owed, messages_at_once=4, entries_at_once=5)
    )
    await room.write(*(f"{number}" for number in range(10)))
    last = room.harness.rosters.get(room.actions.group).conversation.last_seq  # type: ignore[union-attr]
    if forgotten:
        # Then nothing is known about the entries, as after a failed batch.
        room.harness.rosters.forget([room.actions.group])
    await room.look_twice()
    everything = list(range(last - 9, last + 1))
    assert await room.waiting() == [[], everything, everything, everything]
    batches = room.harness.writer.batches
    await room.look_twice()
    assert room.harness.writer.batches == batches


async def test_what_could_not_be_stored_is_tried_again(room: Room) -> None:
    await room.write("one")
    room.harness.commit.failures.extend(["transient"] * 1_000)
    await room.look_twice()
    assert await room.waiting() == [[], [], [], []]
    room.harness.commit.failures.clear()
    await room.write("two")
    await room.look_twice()
    _, *others = await room.waiting()
    assert [len(waiting) for waiting in others] == [2, 2, 2]


async def test_a_deleted_conversation_is_left_alone(room: Room) -> None:
    await room.write("one")
    room.actions.delete(by=room.people[0])
    await room.actions.outcomes()
    await room.look_twice()
    assert await room.waiting() == [[], [], [], []]


async def test_an_unexpected_error_loses_nothing(room: Room) -> None:
    await room.write("one")
    await room.sweep.look()
    room.owed.failures = 1
    with pytest.raises(RuntimeError):
        await room.sweep.look()
    await room.sweep.look()
    _, *others = await room.waiting()
    assert [len(waiting) for waiting in others] == [1, 1, 1]


async def test_a_clean_stop_looks_once_more(room: Room) -> None:
    sweep = Sweep(writer=room.harness.writer, rosters=room.harness.rosters, owed=room.owed, period_s=60.0)
    room.use(sweep)
    sweep.start(Supervisor())
    await room.write("one")
    await sweep.stop()
    _, *others = await room.waiting()
    assert [len(waiting) for waiting in others] == [1, 1, 1]
