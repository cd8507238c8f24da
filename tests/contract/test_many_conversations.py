"""A user whom strangers added to thousands of conversations connects, lists and leaves like everyone else."""

from typing import Any

import pytest
from bson import ObjectId

from chat_mvp.limits import (
    MAX_COUNTED_QUEUE,
    MAX_COUNTED_UNREAD,
    MAX_INTRODUCED,
    MAX_KNOWN,
    MAX_READY_CONVERSATIONS,
    MAX_RESUME_CONVERSATIONS,
    MAX_SCANNED_UNREAD,
    MAX_SCANNED_UNREAD_PER_CONNECT,
    MAX_WATCHED_PRESENCES,
)
from tests.support.backlog import add_backlog
from tests.support.crowds import add_groups, database_of
from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person
from tests.support.socket import Socket
from tests.support.waiting import eventually

PAGES = 3
MANY = MAX_READY_CONVERSATIONS * (PAGES - 1) + 30


def listed(socket: Socket) -> dict[str, dict[str, Any]]:
    """Return the lines of ``ready`` and its pages by conversation; no conversation may come twice."""
    lines = [line for frame in socket.all("ready", "ready.conversations") for line in frame["conversations"]]
    by_id = {line["id"]: line for line in lines}
    assert len(by_id) == len(lines)
    return by_id


async def pages_of(person: Person, path: str, **params: Any) -> list[dict[str, Any]]:
    """Return the items of all pages."""
    items: list[dict[str, Any]] = []
    while True:
        page = expect_json(await person.get(path, limit=200, **params))
        items += page["items"]
        if page["next"] is None:
            return items
        params["cursor"] = page["next"]


async def test_the_list_comes_in_pages_before_anything_else(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MANY, unread=2, queued=True)
    socket = await bob.connect()
    assert socket.ready["more"] is True
    assert [line["id"] for line in socket.ready["conversations"]] == groups[:MAX_READY_CONVERSATIONS]
    pages = socket.all("ready.conversations")
    assert [page["more"] for page in pages] == [True, False]
    assert [frame["type"] for frame in socket.caught_up[: len(pages)]] == ["ready.conversations"] * len(pages)
    assert list(listed(socket)) == groups, "the most recently active ones come first"
    assert {line["unread"] for line in listed(socket).values()} == {2}
    waited = [(frame["message"]["conversation_id"], frame["message"]["seq"]) for frame in socket.all("message.new")]
    assert waited == [(group, seq) for group in reversed(groups) for seq in (2, 3)], "the longest silent first"
    assert socket.ready["queued"] == len(waited)


async def test_few_conversations_are_one_page(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await add_groups(chat.server, ann.id, bob.id, MAX_READY_CONVERSATIONS)
    socket = await bob.connect()
    assert "more" not in socket.ready
    assert len(socket.ready["conversations"]) == MAX_READY_CONVERSATIONS
    assert not socket.all("ready.conversations")


async def test_as_many_as_possible_are_named_and_the_others_are_in_the_list(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MAX_KNOWN + 300)
    first = await bob.connect()
    known = {group: listed(first)[group]["rev"] for group in groups[:MAX_KNOWN]}
    await ann.say(groups[1], "named")
    await ann.say(groups[-1], "not named, and queued")
    socket = await bob.connect(known=known, epoch=first.ready["epoch"])
    assert socket.ready["recovered"] is True
    assert not socket.all("conversation.joined", "conversation.reset")
    assert [(frame["message"]["text"], frame["queued"]) for frame in socket.all("message.new")] == [
        ("named", False),
        ("not named, and queued", True),
    ]
    assert listed(socket)[groups[-1]]["rev"] == 2


async def test_so_many_are_introduced_and_no_more(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MAX_INTRODUCED + 20)
    socket = await bob.connect(known={})
    introduced = [frame["conversation"]["id"] for frame in socket.all("conversation.joined")]
    assert introduced == groups[:MAX_INTRODUCED]


async def test_beyond_so_many_changed_conversations_the_rest_is_reset(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MAX_RESUME_CONVERSATIONS + 10, unread=1, queued=True)
    socket = await bob.connect(known=dict.fromkeys(groups, 1))
    reset = [frame["conversation_id"] for frame in socket.all("conversation.reset")]
    assert reset == groups[MAX_RESUME_CONVERSATIONS:]
    streamed = {message["conversation_id"] for message in socket.messages("message.new")}
    assert streamed == set(groups[:MAX_RESUME_CONVERSATIONS])
    assert socket.all("drained")[0]["count"] == 0


async def test_a_conversation_that_was_left_while_the_list_was_sent_is_not_listed(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MANY)
    expect_nothing(await bob.post(f"/conversations/{groups[-1]}/leave"))
    socket = await bob.connect(known=dict.fromkeys(groups, 1))
    assert groups[-1] not in listed(socket)
    assert len(listed(socket)) == MANY - 1


@pytest.mark.parametrize(
    ("unread", "said"),
    [
        (MAX_COUNTED_UNREAD - 1, MAX_COUNTED_UNREAD - 1),
        (MAX_COUNTED_UNREAD, MAX_COUNTED_UNREAD),
        (MAX_SCANNED_UNREAD, MAX_COUNTED_UNREAD),
        (MAX_SCANNED_UNREAD + 1, MAX_COUNTED_UNREAD),
    ],
)
async def test_counts_of_unread_messages_end(chat: Chat, unread: int, said: int) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "unread")
    await add_backlog(chat.server, room, ann.id, bob.id, ["unread"] * (unread - 1))
    socket = await bob.connect(drained=False)
    assert socket.ready["conversations"][0]["unread"] == said
    assert (await bob.conversation(room))["me"]["unread"] == said
    assert (await bob.conversations())[0]["me"]["unread"] == said


async def test_own_and_deleted_messages_are_counted_only_where_there_are_too_many_to_look_at(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    each = 40
    count = MAX_SCANNED_UNREAD_PER_CONNECT // each
    groups = await add_groups(chat.server, ann.id, bob.id, count + 1, unread=each)
    async with database_of(chat.server) as database:
        ours = {"conversation_id": {"$in": [ObjectId(group) for group in groups]}, "seq": 2}
        await database["messages"].update_many(ours, {"$set": {"kind": "system"}})
    unread = {group: line["unread"] for group, line in listed(await bob.connect()).items()}
    assert {unread[group] for group in groups[:count]} == {each - 1}, "counted exactly"
    assert unread[groups[-1]] == each, "every message above the mark"


async def test_a_long_queue_is_counted_no_further_than_needed(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "first")
    await add_backlog(chat.server, room, ann.id, bob.id, ["waits"] * (MAX_COUNTED_QUEUE + 10))
    socket = await bob.connect(drained=False)
    assert socket.ready["queued"] == MAX_COUNTED_QUEUE


async def test_the_list_over_http_has_every_conversation_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MANY, unread=1)
    answer = await bob.get("/conversations", limit=200)
    assert answer.headers["X-Total-Count"] == str(MANY)
    items = await pages_of(bob, "/conversations")
    assert [item["id"] for item in items] == groups
    assert {(item["me"]["unread"], item["last_message"]["seq"]) for item in items} == {(1, 2)}


async def test_asking_by_time_turns_pages_that_cost_little(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, 450, unread=2)
    items = await pages_of(bob, "/messages/sync", after="2020-01-01T00:00:00Z")
    assert sorted(item["conversation_id"] for item in items) == sorted(groups * 3)
    found = [item["conversation_id"] for item in items]
    assert found == sorted(found)


async def test_one_can_always_leave_however_much_waits(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "first")
    await add_backlog(chat.server, room, ann.id, bob.id, ["waits"] * 25_000)
    # The server reads its counters again when it sends behind what was written past it.
    await ann.say(room, "the last before")
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    await ann.say(room, "and again")
    socket = await bob.connect()
    assert [message["text"] for message in socket.messages("message.new")] == ["and again"]
    async with database_of(chat.server) as database:
        its = {"_id.recipient_id": ObjectId(bob.id)}
        await eventually(lambda: database["message_queue"].count_documents(its), lambda left: left == 1)
    assert (await bob.connect()).ready["queued"] == 1


async def test_the_presence_of_so_many_people_is_sent(chat: Chat) -> None:
    (bob,) = await chat.people("bob")
    async with database_of(chat.server) as database:
        await database["contacts"].insert_many(
            {
                "owner_id": ObjectId(bob.id),
                "other_id": ObjectId(),
                "listed": True,
                "nickname": None,
                "blocked": False,
                "blocked_at": None,
                "created_at": None,
            }
            for _ in range(MAX_WATCHED_PRESENCES + 50)
        )
    socket = await bob.connect()
    assert len(socket.all("presence.snapshot")[0]["items"]) == MAX_WATCHED_PRESENCES
    answer = await socket.ask("presence.subscribe", user_ids=["f" * 24])
    assert len(answer["items"]) == MAX_WATCHED_PRESENCES + 1
    answer = await socket.ask("presence.subscribe", user_ids=[])
    assert len(answer["items"]) == MAX_WATCHED_PRESENCES
