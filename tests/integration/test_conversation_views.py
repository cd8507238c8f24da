"""What a member gets of a conversation, and what a member gets who is removed while it is read."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

import pytest

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.snapshot import Snapshots
from chat_mvp.features.conversations.views import ConversationViews
from chat_mvp.protocol import Message, User
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.contacts import BlockPair
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.ids import new_id, to_object_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.recent import RecentMessages
from chat_mvp.storage.summaries import Summaries
from tests.support.crowds import insert_groups


class Interrupted(Messages):
    """Messages that are read after something else has happened."""

    before: Callable[[], Awaitable[object]]

    async def fetch_last(self, last_seqs: dict[str, int]) -> dict[str, Message]:
        await self.before()
        return await super().fetch_last(last_seqs)


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"views_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (None, True),
        ({"$set": {"read_seq": 2}}, True),
        ({"$set": {"visible": False}}, False),
        ({"$set": {"joined_seq": 2}}, False),
    ],
)
async def test_someone_removed_while_it_is_read_gets_nothing(
    database: Database, change: dict[str, dict[str, object]] | None, seen: bool
) -> None:
    maker, ann = new_id(), new_id()
    (room,) = await insert_groups(database.collections, maker, ann, 1, unread=1)
    memberships = database.collections["memberships"]
    one = {"conversation_id": to_object_id(room), "user_id": to_object_id(ann)}

    async def meanwhile() -> None:
        if change is not None:
            await memberships.update_one(one, change)

    conversations, messages = Conversations(database.collections), Interrupted(database.collections)
    messages.before = meanwhile
    snapshots = Snapshots(
        conversations=conversations,
        messages=messages,
        recent=RecentMessages(database.collections),
        summaries=Summaries(database.collections),
        blocks=Blocks(no_blocks),
    )
    views = ConversationViews(snapshots, conversations, messages, no_users)
    found = await views.fetch(ann, [room])
    assert [(view.id, view.last_message is not None) for view in found] == ([(room, True)] if seen else [])
    await memberships.delete_one(one)
    assert await views.fetch(ann, [room]) == []


async def no_blocks(_: str) -> set[BlockPair]:
    return set()


async def no_users(_: Iterable[str]) -> dict[str, User]:
    return {}
