"""A writer on a real database, with a commit that fails on demand, and people who write through it."""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from chat_mvp.clock import Now
from chat_mvp.delivery.batch import NewMessage, Recipients
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus, Publication
from chat_mvp.delivery.local import LocalDelivery
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import ChatError
from chat_mvp.features.messages.operations import DeleteMessage, EditMessage, SendMessage, Sent
from chat_mvp.protocol import Message, User
from chat_mvp.storage.arrivals import Arrivals
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.commit import (
    COMMITS_AT_ONCE,
    MongoCommit,
    Progress,
    TransientError,
    UnknownOutcomeError,
    Unobserved,
)
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations, direct_key
from chat_mvp.storage.errors import unavailable
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.writes import Writes
from chat_mvp.supervision import Supervisor
from chat_mvp.times import format_time, utc_now

DEADLINE_S = 1.5
ANSWER_WITHIN_S = 10.0


class CommitFailures:
    """How the next commits fail: each takes the next kind of failure from ``failures``.

    ``transient``: nothing is written. ``lost``: it is stored and the answer is lost. ``dropped``: it never arrives and
    its outcome is unknown. ``broken``: an unexpected error. ``slow``: it succeeds after ``gate`` was opened.
    ``unreachable``: the same, but the database gets no command before. ``flushing``: the database has done everything,
    but it takes until the ``gate`` is opened to make it durable; ``flushing longer``: until the ``later_gate`` is;
    ``flushing in vain``: and then it is not durable;
    ``flushing into the unknown``: and then it is, but the answer is lost. While ``away``, the outcome of a commit
    cannot be resolved.
    """

    def __init__(self) -> None:
        self.failures: deque[str] = deque()
        self.poison: str | None = None
        self.gate = asyncio.Event()
        self.later_gate = asyncio.Event()
        self.held_up = asyncio.Event()
        self.away = False


class Executed(Unobserved):
    """The progress of a commit whose commands were reported as sent before."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def executed(self) -> None:
        self._progress.executed()


class FailingCommit(MongoCommit):
    """A real commit that fails before or after it."""

    def __init__(self, database: Database, number: int, failures: CommitFailures) -> None:
        super().__init__(database, number)
        self._its = failures

    async def commit(self, writes: Writes, progress: Progress) -> None:
        its = self._its
        if its.poison is not None and any(its.poison in record.message.text for record in writes.new_messages):
            raise RuntimeError("a document that cannot be stored")
        match its.failures.popleft() if its.failures else None:
            case "transient":
                raise TransientError
            case "dropped":
                progress.sent()
                progress.executed()
                raise UnknownOutcomeError
            case "broken":
                raise RuntimeError("this is unexpected")
            case "slow":
                progress.sent()
                its.held_up.set()
                await its.gate.wait()
                await super().commit(writes, Executed(progress))
                return
            case "unreachable":
                await its.gate.wait()
            case "flushing" | "flushing longer" | "flushing in vain" | "flushing into the unknown" as kind:
                await self._flush(kind, writes, progress)
                return
            case "lost":
                await super().commit(writes, progress)
                self._is_uncertain = True
                raise UnknownOutcomeError
        await super().commit(writes, progress)

    async def _flush(self, kind: str, writes: Writes, progress: Progress) -> None:
        progress.sent()
        progress.executed()
        self._its.held_up.set()
        await (self._its.later_gate if kind == "flushing longer" else self._its.gate).wait()
        if kind == "flushing in vain":
            raise TransientError
        await super().commit(writes, Unobserved())
        if kind == "flushing into the unknown":
            self._is_uncertain = True
            raise UnknownOutcomeError

    async def was_committed(self, writes: Writes) -> bool:
        if self._its.away:
            raise unavailable()
        return await super().was_committed(writes)


class Answer:
    """What came of one operation: a record and whether it was a repetition, or an error; never two of them."""

    def __init__(self, connection_id: str | None = "own") -> None:
        self.connection_id = connection_id
        self._future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def succeed(self, result: Sent | Message) -> None:
        is_sent = isinstance(result, Sent)
        self._future.set_result((result.record.message, result.is_duplicate) if is_sent else (result, False))

    def refuse(self, error: ChatError) -> None:
        self._future.set_exception(error)

    @property
    def came(self) -> bool:
        return self._future.done()

    async def message(self) -> tuple[Message, bool]:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            result: tuple[Message, bool] = await self._future
            return result

    async def error(self) -> ChatError:
        with pytest.raises(ChatError) as caught:
            await self.message()
        return caught.value


class FutureAnswer:
    """A reply that ends a future with what ``value`` makes of the result, or with the error."""

    def __init__(self, future: asyncio.Future[Any], value: Callable[[Any], Any] = lambda result: result) -> None:
        self.connection_id: str | None = "own"
        self._future = future
        self._value = value

    def succeed(self, result: Any) -> None:
        self._future.set_result(self._value(result))

    def refuse(self, error: ChatError) -> None:
        self._future.set_exception(error)


class Harness:
    """One writer and two people; ``published`` collects all publications."""

    def __init__(self, database: Database, *, clock: Now | None = None, queue_max_members: int = 64) -> None:
        self.database = database
        self.commit = CommitFailures()
        self.messages = Messages(database.collections)
        self.published: list[Publication] = []
        self.clock_is_off_by = timedelta()
        self.connected: set[str] = set()
        """The people who have a connection."""
        self.bus = MemoryBus()
        self.events = LocalEvents()
        self.bus.subscribe(self.published.append)
        self.receipts = Receipts(self.bus, Blocks(Arrivals(database.collections).fetch_blocks))
        self.rosters = rosters = Rosters(Conversations(database.collections), Contacts(), _fetch_no_users)
        self.writer = Writer(
            commits=[FailingCommit(database, number, self.commit) for number in range(COMMITS_AT_ONCE)],
            messages=self.messages,
            rosters=rosters,
            deliver=LocalDelivery(bus=self.bus, rosters=rosters, receipts=self.receipts, events=self.events).deliver,
            recipients=Recipients(
                is_reachable=lambda _sender, _recipient: True,
                is_connected=lambda user_id: user_id in self.connected,
                queue_max_members=queue_max_members,
            ),
            process="this process",
            deadline_s=DEADLINE_S,
            clock=clock or (lambda: utc_now() + self.clock_is_off_by),
        )
        self.people = [new_id(), new_id()]

    def send(self, name: str, text: str = "hello", *, sender: int = 0, connection: str | None = "own") -> Answer:
        """Submit a message of one of the two to the other."""
        answer = Answer(connection)
        new = NewMessage(id=new_id(), sender_id=self.people[sender], client_message_id=name, text=text)
        self.writer.submit(
            SendMessage(
                new,
                conversation_id=None,
                direct_key=direct_key(*self.people),
                people={person: user(person) for person in self.people},
                reply=answer,
            )
        )
        return answer

    def write(self, conversation_id: str, name: str, *, by: str | None = None) -> Answer:
        """Submit a message to a conversation that is known already, which is what can be planned ahead."""
        answer = Answer()
        new = NewMessage(id=new_id(), sender_id=by or self.people[0], client_message_id=name, text=name)
        self.writer.submit(
            SendMessage(
                new,
                conversation_id=conversation_id,
                direct_key=None,
                people={},
                reply=answer,
            )
        )
        return answer

    def edit(self, message_id: str, text: str, *, connection: str | None = "own") -> Answer:
        answer = Answer(connection)
        self.writer.submit(EditMessage(message_id, self.people[0], text, (), reply=answer))
        return answer

    def delete(self, message_id: str) -> Answer:
        answer = Answer()
        self.writer.submit(DeleteMessage(message_id, self.people[0], reply=answer))
        return answer

    def published_frames(self, type_: type) -> list[Publication]:
        return [publication for publication in self.published if isinstance(publication.frame, type_)]

    async def stored(self) -> list[Message]:
        """Return all messages, after checking that ``seq`` has no gap and that the counters and queues agree."""
        conversations = await self.database.collections["conversations"].find({}).to_list(None)
        if not conversations:
            return []
        (conversation,) = conversations
        messages = await self.messages.fetch_oldest(str(conversation["_id"]), after=0, limit=1_000)
        assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
        assert conversation["last_seq"] == len(messages)
        assert conversation["rev"] == max(message.rev for message in messages)
        assert await self.database.collections["message_queue"].count_documents({}) == len(messages)
        return messages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"writer_{secrets.token_hex(4)}", queue_ttl_days=30)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def harness(database: Database) -> AsyncIterator[Harness]:
    await clear(database)
    harness = Harness(database)
    harness.writer.start(Supervisor())
    await harness.send("first").message()
    harness.published.clear()
    yield harness
    harness.commit.away = False
    harness.commit.gate.set()
    harness.commit.later_gate.set()
    await harness.writer.stop()


async def clear(database: Database) -> None:
    """Delete all conversations, messages and events."""
    for name in ("conversations", "memberships", "messages", "message_queue", "events"):
        await database.collections[name].delete_many({})


async def _fetch_no_users(_: object) -> dict[str, User]:
    return {}


def user(person: str) -> User:
    now = format_time(utc_now())
    return User(id=person, username=person, display_name=person, avatar_url=None, bio="", created_at=now)
