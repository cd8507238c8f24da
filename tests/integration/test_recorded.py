"""Changes and their events on a real replica set: both or neither, and a reaction to everything that was stored."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import AutoReconnect

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.errors import UnavailableError
from chat_mvp.events.codec import decode_events
from chat_mvp.events.types import BlockChanged, Event
from chat_mvp.features.contacts.service import ContactService
from chat_mvp.storage.arrivals import Arrivals
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.recorded import MongoRecorder, RecordedTransaction
from chat_mvp.storage.users import Users
from chat_mvp.times import utc_now
from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat
from tests.support.server import Server
from tests.support.waiting import eventually
from tests.unit.features.conftest import make_user, new_costly_work

HUNG_S = 12.0
"""Longer than a request waits for a hung database."""


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"recorded_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


class Troubled(MongoRecorder):
    """A recorder whose commits can go wrong: ``trouble`` is called instead of the next ones, one call each."""

    def __init__(self, database: Database, events: LocalEvents, *, answer_within_s: float = 5.0) -> None:
        super().__init__(
            database, process="here", clock=utc_now, committed=events.applied, answer_within_s=answer_within_s
        )
        self.trouble: list[Callable[[AsyncClientSession], Awaitable[None]]] = []

    async def _send_commit(self, session: AsyncClientSession) -> None:
        if self.trouble:
            await self.trouble.pop(0)(session)
            raise AutoReconnect("no answer", errors={"errorLabels": ["UnknownTransactionCommitResult"]})
        await super()._send_commit(session)

    async def store_first(self, session: AsyncClientSession) -> None:
        await super()._send_commit(session)

    async def store_nothing(self, session: AsyncClientSession) -> None:
        return

    async def lose_session(self, session: AsyncClientSession) -> None:
        await self._client.admin.command({"killSessions": [session.session_id]})


class House:
    """A contact service on a troubled recorder, and what the process keeps of blocks."""

    def __init__(self, database: Database, **options: float) -> None:
        self.database = database
        self.events = LocalEvents()
        self.applied: list[Event] = []
        self.recorder = Troubled(database, self.events, **options)
        self.blocks = Blocks(Arrivals(database.collections).fetch_blocks)
        self.events.on(BlockChanged, self._apply)
        users = Users()
        self.service = ContactService(
            contacts=Contacts(),
            directory=UserDirectory(users),
            on_contact_changed=_ignore,
            recorder=self.recorder,
            costly_work=new_costly_work(),
        )

    def _apply(self, event: BlockChanged) -> None:
        self.applied.append(event)
        self.blocks.changed(event.owner_id, event.other_id, event.blocked)

    async def stored(self) -> list[Event]:
        """Return all events in the database."""
        documents = await self.database.collections["events"].find({}, sort=[("_id", 1)]).to_list(None)
        return [event for document in documents for event in decode_events(document["body"]).events]

    async def is_stored_as_blocked(self, owner: str, other: str) -> bool:
        query = {"blocked": True}
        return bool(await self.database.collections["contacts"].count_documents(query))


async def until(is_so: Callable[[], bool]) -> None:
    async def probe() -> bool:
        return is_so()

    await eventually(probe)


async def _ignore(_owner: str, _other: str, _listed: bool) -> None:
    return


async def two_people(house: House) -> tuple[str, str]:
    ann, bob = await make_user(Users(), "ann"), await make_user(Users(), "bob")
    # From here on the blocks of both are in memory.
    assert await house.blocks.fetch(ann) == await house.blocks.fetch(bob) == frozenset()
    return ann, bob


async def test_one_document_holds_all_events_of_a_transaction(database: Database) -> None:
    house = House(database)
    recorded = [BlockChanged(owner_id=new_id(), other_id=new_id(), blocked=True) for _ in range(2)]

    async def write(transaction: RecordedTransaction) -> str:
        for event in recorded:
            transaction.record(event)
        return "written"

    before = utc_now()
    assert await house.recorder.record("x", write) == "written"
    (document,) = await database.collections["events"].find().to_list(None)
    assert (document["process"], document["types"]) == ("here", ["block.changed"])
    assert before <= document["at"] <= utc_now()
    assert decode_events(document["body"]).events == recorded == house.applied


async def test_what_changes_nothing_stores_no_event(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)
    for _ in range(2):
        await house.service.block(ann, bob)
    for _ in range(2):
        await house.service.unblock(ann, bob)
    changes = [BlockChanged(owner_id=ann, other_id=bob, blocked=blocked) for blocked in (True, False)]
    assert await house.stored() == changes


async def test_a_write_that_fails_leaves_nothing(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)

    async def write(transaction: RecordedTransaction) -> None:
        await Contacts().block(transaction, ann, bob, at=utc_now())
        transaction.record(BlockChanged(owner_id=ann, other_id=bob, blocked=True))
        raise KeyError

    with pytest.raises(KeyError):
        await house.recorder.record("x", write)
    assert not await house.is_stored_as_blocked(ann, bob)
    assert await house.stored() == house.applied == []


async def test_a_commit_without_an_answer_is_asked_for_again(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)
    house.recorder.trouble = [house.recorder.store_first, house.recorder.store_nothing]
    await house.service.block(ann, bob)
    assert house.blocks.known(ann) == {bob}
    house.recorder.trouble = [house.recorder.store_nothing] * 2
    await house.service.unblock(ann, bob)
    assert house.blocks.known(ann) == frozenset()
    assert await house.stored() == house.applied


async def test_a_block_that_was_stored_and_answered_with_an_error_counts(database: Database) -> None:
    house = House(database, answer_within_s=0.4)
    ann, bob = await two_people(house)
    house.recorder.trouble = [house.recorder.store_first] + [house.recorder.store_nothing] * 3
    with pytest.raises(UnavailableError):
        await house.service.block(ann, bob)
    assert await house.is_stored_as_blocked(ann, bob)
    with pytest.raises(UnavailableError):
        # Neither "it is there already", before this process knows it, nor the opposite.
        await house.service.unblock(ann, bob)
    await until(lambda: house.blocks.known(ann) == {bob})
    assert house.blocks.known(bob) == {ann}
    house.recorder._answer_within_s = 5.0
    await house.service.block(ann, bob)
    assert await house.stored() == house.applied[:1]


async def test_blocking_again_closes_the_way_that_a_lost_reaction_left_open(database: Database) -> None:
    house, elsewhere = House(database), House(database)
    ann, bob = await two_people(house)
    await elsewhere.service.block(ann, bob)
    assert house.blocks.known(ann) == frozenset(), "the other process has not published it"
    await house.service.block(ann, bob)
    assert house.blocks.known(ann) == {bob}
    assert len(await house.stored()) == 1


async def test_what_the_database_did_not_store_is_not_applied(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)
    house.recorder.trouble = [house.recorder.lose_session]
    with pytest.raises(UnavailableError):
        await house.service.block(ann, bob)
    assert not await house.is_stored_as_blocked(ann, bob)
    assert house.applied == await house.stored() == []
    await house.service.block(ann, bob)
    assert await house.stored() == house.applied != []


async def test_a_caller_who_leaves_does_not_stop_the_reaction(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)
    house.recorder.trouble = [house.recorder.store_first]
    task = asyncio.create_task(house.service.block(ann, bob))
    await until(lambda: not house.recorder.trouble)
    task.cancel()
    await asyncio.wait([task])
    await until(lambda: house.blocks.known(ann) == {bob})


async def test_events_of_one_subject_are_applied_in_the_order_of_their_commits(database: Database) -> None:
    house = House(database)
    ann, bob = await two_people(house)
    calls = [house.service.block, house.service.unblock] * 10
    await asyncio.gather(*(call(ann, bob) for call in calls))
    changes = [event for event in house.applied if event in await house.stored()]
    assert _without_repeats(changes) == await house.stored()
    assert (house.blocks.known(ann) == {bob}) == await house.is_stored_as_blocked(ann, bob)


def _without_repeats(events: Sequence[Event]) -> list[Event]:
    return [event for number, event in enumerate(events) if number == 0 or event != events[number - 1]]


async def test_a_database_that_hangs_and_recovers(tmp_path: Path) -> None:
    server = Server(mongo_uri=None, directory=tmp_path)
    try:
        await server.start()
        async with Chat(server) as chat:
            await _hang(chat)
        assert await server.stop() == 0
    finally:
        server.kill()
    server.check_log()


async def _hang(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    elsewhere = await ann.sign_in_again()
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    watcher, leaver = await bob.connect(), await elsewhere.connect()
    (mongod,) = chat.server.mongod_pids()
    os.kill(mongod, signal.SIGSTOP)
    try:
        async with asyncio.timeout(HUNG_S):
            answers = await asyncio.gather(
                ann.request("PUT", f"/contacts/{bob.id}/block"),
                ann.patch("/users/me", display_name="Another"),
                elsewhere.post("/auth/logout"),
            )
    finally:
        os.kill(mongod, signal.SIGCONT)
    for answer in answers:
        expect_problem(answer, 503, "unavailable")

    async def put() -> bool:
        return (await ann.request("PUT", f"/contacts/{bob.id}/block")).status_code == 204

    await eventually(put)
    expect_nothing(await elsewhere.post("/auth/logout"))
    assert await leaver.closed() == 4401
    assert expect_json(await ann.patch("/users/me", display_name="One more"))["display_name"] == "One more"
    sender = await ann.connect()
    await sender.refused("cannot_message", "message.send", **_message(room))
    await watcher.nothing("user.updated")


def _message(room: str) -> dict[str, Any]:
    return {"conversation_id": room, "client_message_id": secrets.token_hex(8), "text": "is anyone there?"}
