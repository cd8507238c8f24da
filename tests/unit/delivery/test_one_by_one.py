"""A batch has the same result as its operations one by one: the same answers, and the same documents.

Random things are asked of two writers with a database each. One is asked for everything at once, while another batch
is on its way; the other for one thing after the other.
"""

import random
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId

from chat_mvp.protocol import User
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.ids import new_id
from chat_mvp.supervision import Supervisor
from tests.unit.delivery.actions import Actions, Outcome
from tests.unit.delivery.conftest import Harness, clear, user

pytestmark = pytest.mark.asyncio(loop_scope="module")

THINGS = 24
EMOJIS = ("👍", "🎉")
TIMES = {
    "created_at",
    "updated_at",
    "activity_at",
    "changed_at",
    "joined_at",
    "delivered_at",
    "read_at",
    "edited_at",
    "deleted_at",
}
MADE_ANEW = {"memberships": {"_id"}, "messages": {"_id", "client_message_id"}, "message_queue": {"message_id"}}
"""Ids that differ because they are generated."""
OF_GROUP = {
    "conversations": "_id",
    "memberships": "conversation_id",
    "messages": "conversation_id",
    "message_queue": "_id.conversation_id",
}


class Cast:
    """The same people and ids for both writers, and what is there before."""

    def __init__(self) -> None:
        self.people: list[User] = [user(new_id()) for _ in range(4)]
        self.group = new_id()
        self.messages = [new_id() for _ in range(4)]

    async def take_place(self, harness: Harness) -> Actions:
        """Make a group of three of the four, with a few messages."""
        actions = Actions(harness, self.people, self.group)
        await actions.make(self.people[1], self.people[2])
        for number, message_id in enumerate(self.messages):
            actions.write(f"before {number}", by=self.people[number % 3], message_id=message_id)
        await actions.outcomes()
        return actions


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def other_database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"writer_{secrets.token_hex(4)}", queue_ttl_days=30)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def other_desk(other_database: Database, harness: Harness) -> AsyncIterator[Harness]:
    await clear(other_database)
    other = Harness(other_database)
    other.people = harness.people
    other.writer.start(Supervisor())
    await other.send("first").message()
    yield other
    other.commit.gate.set()
    await other.writer.stop()


@pytest.mark.parametrize("seed", range(40))
async def test_a_batch_leaves_what_its_operations_leave(harness: Harness, other_desk: Harness, seed: int) -> None:
    chance = random.Random(seed)
    cast = Cast()
    things = [thing(chance, cast) for _ in range(THINGS)]

    together = await cast.take_place(harness)
    held_up = await together.hold_up()
    before = harness.writer.batches
    for do in things:
        do(together)
    at_once = await together.outcomes()
    await held_up.message()
    await harness.writer.settled()

    alone = await cast.take_place(other_desk)
    await other_desk.send("held up").message()
    one_by_one: list[Outcome] = []
    for do in things:
        do(alone)
        one_by_one += await alone.outcomes()
    await other_desk.writer.settled()

    assert at_once == one_by_one
    assert await left_behind(harness.database, cast.group) == await left_behind(other_desk.database, cast.group)
    assert harness.writer.batches - before < THINGS / 2, "they were one batch, or a few"


def thing(chance: random.Random, cast: Cast) -> Callable[[Actions], None]:
    """Choose an operation, allowed or not."""
    actor, other = chance.choice(cast.people), chance.choice(cast.people)
    name = f"{chance.random()}"
    message_id = chance.choice(cast.messages)
    emoji = chance.choice(EMOJIS)
    yes = chance.random() < 0.5
    seq = chance.randrange(1, 6)
    owner = cast.people[0]
    things: dict[Callable[[Actions], None], float] = {
        lambda it: it.write(name, by=actor): 5,
        lambda it: it.add(other, by=owner): 3,
        lambda it: it.remove(other, by=owner): 2,
        lambda it: it.remove(actor, by=actor): 1,
        lambda it: it.give_role(other, "admin" if yes else "member", by=owner): 2,
        lambda it: it.confirm(actor, seq, read=seq if yes else 0): 4,
        lambda it: it.edit(message_id, name, by=actor): 2,
        lambda it: it.erase(message_id, by=actor): 1,
        lambda it: it.react(message_id, emoji, present=yes, by=actor): 3,
        lambda it: it.pin(message_id, pinned=yes, by=actor): 2,
        lambda it: it.rename(name if yes else "A room", by=actor): 1,
        lambda it: it.delete(by=actor): 0.1,
    }
    (chosen,) = chance.choices(list(things), list(things.values()))
    return chosen


async def left_behind(database: Database, group: str) -> dict[str, list[Any]]:
    """Return what is stored of the group: of times only whether there is one, and in an order that means nothing."""
    stored: dict[str, list[Any]] = {}
    for name, key in OF_GROUP.items():
        documents = await database.collections[name].find({key: ObjectId(group)}).to_list(None)
        stored[name] = sorted((alike(document, MADE_ANEW.get(name, set())) for document in documents), key=repr)
    return stored


def alike(document: dict[str, Any], without: set[str]) -> dict[str, Any]:
    found = {key: value for key, value in document.items() if key not in without and value is not None}
    found |= dict.fromkeys(found.keys() & TIMES, "a time")
    if "edits" in found:
        found["edits"] = [edit["text"] for edit in found["edits"]]
    return found
