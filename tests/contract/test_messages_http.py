"""Messages over HTTP: sending, history, editing, deleting, reacting (protocol.md section 1)."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_problem
from tests.support.people import Chat, Person, reaction_path
from tests.support.shapes import check_message
from tests.support.texts import AWKWARD, REFUSED, awkward_texts

NO_SUCH_ID = "0123456789abcdef01234567"


async def test_sending(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "hello", client_message_id="one")
    check_message(message)
    expected = {"conversation_id": room, "seq": 1, "rev": 1, "sender_id": ann.id, "client_message_id": "one"}
    expected |= {"kind": "text", "text": "hello", "priority": "normal", "attachments": [], "reply_to": None}
    expected |= {"thread_root": None, "thread": None, "mentions": [], "reactions": [], "pinned": False}
    expected |= {"edited_at": None, "deleted_at": None}
    assert {name: message[name] for name in expected} == expected
    for person in (ann, bob):
        assert await person.message(message["id"]) == message
        assert await person.page(room) == [message]
        assert (await person.conversation(room))["last_message"] == message


async def test_sending_again_finds_the_first(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    first = await ann.say(room, "hello", client_message_id="same")
    again = await ann.post(f"/conversations/{room}/messages", client_message_id="same", text="something else")
    assert expect_json(again, 200) == first
    assert await bob.page(room) == [first]


@pytest.mark.parametrize("name", AWKWARD)
async def test_text_is_kept_letter_for_letter(chat: Chat, name: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    message = await ann.say(room, AWKWARD[name])
    assert message["text"] == AWKWARD[name]
    assert (await ann.page(room))[-1]["text"] == AWKWARD[name]


async def test_many_scripts_letter_for_letter(chat: Chat) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    texts = awkward_texts(60, seed=1)
    for text in texts:
        await ann.say(room, text)
    assert [message["text"] for message in await ann.history(room) if message["kind"] == "text"] == texts


@pytest.mark.parametrize("name", REFUSED)
async def test_texts_that_are_refused(chat: Chat, name: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    kept = await ann.say(room, "kept")
    # A lone surrogate can only be sent as an escape, and not every parser lets it through to where texts are judged.
    broken = ((422, "validation"), (400, "bad_request")) if "surrogate" in name else ((422, "validation"),)
    headers = {"Content-Type": "application/json"}
    for method, path in (("POST", f"/conversations/{room}/messages"), ("PATCH", f"/messages/{kept['id']}")):
        content = ascii_json(client_message_id="x", text=REFUSED[name])
        response = await ann.request(method, path, content=content, headers=headers)
        status, code = next((pair for pair in broken if pair[0] == response.status_code), broken[0])
        expect_problem(response, status, code)
    assert await ann.message(kept["id"]) == kept
    assert (await ann.conversation(room))["last_seq"] == kept["seq"]


def ascii_json(**body: Any) -> bytes:
    return json.dumps(body).encode("ascii")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 5},
        {"text": None},
        {"client_message_id": ""},
        {"client_message_id": "c" * 65},
        {"client_message_id": 7},
        {"client_message_id": None},
        {"priority": "urgent"},
        {"attachments": "none"},
        {"attachments": [NO_SUCH_ID] * 21},
        {"reply_to": 5},
    ],
    ids=str,
)
async def test_fields_that_are_refused(chat: Chat, fields: dict[str, Any]) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    before = await ann.conversation(room)
    body = {"client_message_id": "x", "text": "hello"} | fields
    expect_problem(await ann.post(f"/conversations/{room}/messages", **body), 422, "validation")
    assert await ann.conversation(room) == before


async def test_replying(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room, elsewhere = await ann.direct(bob), await ann.group()
    first = await ann.say(room, "question")
    reply = await bob.say(room, "answer", reply_to=first["id"])
    assert reply["reply_to"] == first["id"]
    foreign = await ann.say(elsewhere, "not for bob")
    before = await ann.say(later := await ann.group(), "before bob came")
    expect_json(await ann.put(f"/conversations/{later}/members/{bob.id}"))
    for field in ("reply_to", "thread_root"):
        problems = []
        for target in (NO_SUCH_ID, foreign["id"], before["id"]):
            fields = {"client_message_id": "r", "text": "x", field: target}
            response = await bob.post(f"/conversations/{later}/messages", **fields)
            problems.append(expect_problem(response, 404, "not_found"))
        assert problems[0] == problems[1] == problems[2], "what one may not see looks like what is not there"


async def test_mentions_are_found_among_members(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    room = await ann.group(bob)
    text = f"@{bob.username.upper()}, ask @{stranger.username} or x@{ann.username}y"
    message = await ann.say(room, text)
    assert message["mentions"] == [bob.id]
    quoted = await ann.say(room, f"`@{bob.username}` and https://example.org/@{bob.username}")
    assert quoted["mentions"] == []
    emphasised = await ann.say(room, f"_@{bob.username}_")
    assert emphasised["mentions"] == [bob.id]


async def room_with(person: Person, count: int) -> tuple[str, list[dict[str, Any]]]:
    """Return a group with ``count`` messages, system messages included, and the messages."""
    room = await person.group()
    made = len(await person.page(room))
    await asyncio.gather(*(person.say(room, f"message {number}") for number in range(count - made)))
    return room, await person.page(room, limit=200)


async def test_history_by_pages(chat: Chat) -> None:
    ann = await chat.person("ann")
    room, everything = await room_with(ann, 60)
    assert [message["seq"] for message in everything] == list(range(1, 61))

    async def seqs(**params: Any) -> list[int]:
        return [message["seq"] for message in await ann.page(room, **params)]

    assert await seqs() == list(range(11, 61)), "the newest 50"
    assert await seqs(limit=3) == [58, 59, 60]
    assert await seqs(before=11) == list(range(1, 11))
    assert await seqs(before=11, limit=4) == [7, 8, 9, 10]
    assert await seqs(before=1) == []
    assert await seqs(before=1000, limit=2) == [59, 60]
    assert await seqs(after=57) == [58, 59, 60]
    assert await seqs(after=5, limit=4) == [6, 7, 8, 9], "the oldest page behind it"
    assert await seqs(after=0, limit=2) == [1, 2]
    assert await seqs(after=60) == []
    around = await seqs(around=30, limit=10)
    assert 30 in around
    assert around == list(range(around[0], around[0] + len(around)))
    assert around[0] in {25, 26}
    assert around[-1] in {34, 35}
    assert (await seqs(around=1, limit=10))[0] == 1
    assert (await seqs(around=60, limit=10))[-1] == 60
    assert await seqs(around=30, limit=1) == [30], "half of one is none"
    assert await seqs(around=30, limit=3) == [29, 30, 31]


@pytest.mark.parametrize(
    "params",
    [
        {"before": "5", "after": "1"},
        {"before": "5", "around": "1"},
        {"after": "5", "around": "1"},
        {"before": "x"},
        {"after": "-1"},
        {"around": "1.5"},
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "-1"},
        {"before": "9" * 30},
    ],
    ids=str,
)
async def test_pages_that_cannot_be(chat: Chat, params: dict[str, str]) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    expect_problem(await ann.get(f"/conversations/{room}/messages", **params), 422, "validation")


async def test_editing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    first = await ann.say(room, "frist")
    second = await ann.say(room, "second")
    edited = await ann.edit(first["id"], "first 👍")
    check_message(edited)
    assert edited["edited_at"]
    assert edited["rev"] == second["rev"] + 1
    assert edited == first | {"text": "first 👍", "edited_at": edited["edited_at"], "rev": edited["rev"]}
    assert await bob.page(room) == [edited, second]
    assert await ann.edit(first["id"], "first 👍") == edited, "the same text changes nothing"
    assert (await ann.conversation(room))["rev"] == edited["rev"]


async def test_editing_finds_mentions_anew(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    message = await ann.say(room, "nobody")
    assert (await ann.edit(message["id"], f"@{bob.username}"))["mentions"] == [bob.id]
    assert (await ann.edit(message["id"], "nobody again"))["mentions"] == []


async def test_deleting(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "regretted")
    deleted = await ann.erase(message["id"])
    check_message(deleted)
    assert deleted["deleted_at"]
    assert (deleted["text"], deleted["attachments"], deleted["seq"]) == ("", [], 1)
    assert deleted["rev"] == message["rev"] + 1
    assert await bob.page(room) == [deleted]
    assert await bob.message(message["id"]) == deleted
    assert (await bob.conversation(room))["last_message"] == deleted
    assert await ann.erase(message["id"]) == deleted, "deleting again changes nothing"

    expect_problem(await ann.patch(f"/messages/{message['id']}", text="back"), 409, "conflict")
    expect_problem(await bob.put(reaction_path(message["id"], "👍")), 409, "conflict")
    assert await bob.message(message["id"]) == deleted


async def test_reacting(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "good news")
    one = await bob.react(message["id"], "🎉")
    check_message(one)
    assert one["reactions"] == [{"emoji": "🎉", "count": 1, "user_ids": [bob.id]}]
    assert one["rev"] == message["rev"] + 1
    assert await bob.react(message["id"], "🎉") == one, "the same reaction again changes nothing"
    two = await ann.react(message["id"], "🎉")
    assert two["reactions"][0]["count"] == 2
    assert set(two["reactions"][0]["user_ids"]) == {ann.id, bob.id}
    three = await ann.react(message["id"], "👩‍🚀")
    assert [reaction["emoji"] for reaction in three["reactions"]] == ["🎉", "👩‍🚀"]
    assert three["edited_at"] is None

    less = expect_json(await bob.delete(reaction_path(message["id"], "🎉")))
    assert less["reactions"][0] == {"emoji": "🎉", "count": 1, "user_ids": [ann.id]}
    assert less["rev"] == three["rev"] + 1
    assert expect_json(await bob.delete(reaction_path(message["id"], "🎉"))) == less
    gone = expect_json(await ann.delete(reaction_path(message["id"], "🎉")))
    assert [reaction["emoji"] for reaction in gone["reactions"]] == ["👩‍🚀"]
    assert await bob.message(message["id"]) == gone


async def test_reactions_have_one_form(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "good news")
    one = await bob.react(message["id"], "\u2764")
    assert one["reactions"] == [{"emoji": "\u2764\ufe0f", "count": 1, "user_ids": [bob.id]}]
    assert await bob.react(message["id"], "\u2764\ufe0f") == one, "the same reaction again changes nothing"
    thumb = await bob.react(message["id"], "\U0001f44d\ufe0f")
    assert [reaction["emoji"] for reaction in thumb["reactions"]] == ["\u2764\ufe0f", "\U0001f44d"]
    for emoji in ("\u2764", "\U0001f44d"):
        gone = expect_json(await bob.delete(reaction_path(message["id"], emoji)))
    assert gone["reactions"] == []


async def test_limits_of_reactions(chat: Chat) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    message = await ann.say(room, "popular")
    for emoji in [chr(0x1F600 + number) for number in range(19)] + ["🏴󠁧󠁢󠁳󠁣󠁴󠁿"]:
        await ann.react(message["id"], emoji)
    expect_problem(await ann.put(reaction_path(message["id"], "🚀")), 409, "conflict")
    expect_problem(await ann.put(reaction_path(message["id"], "👍" * 33)), 422, "validation")
    expect_problem(await ann.put(reaction_path(message["id"], " ")), 422, "validation")
    assert len((await ann.message(message["id"]))["reactions"]) == 20


async def test_everyone_reacts_at_the_same_time(chat: Chat) -> None:
    people = await chat.people("ann", "bob", "cat", "dan")
    ann = people[0]
    room = await ann.group(*people[1:])
    message = await ann.say(room, "vote")
    emojis = ["👍", "👎", "🎉"]
    await asyncio.gather(*(person.react(message["id"], emoji) for person in people for emoji in emojis))
    after = await ann.message(message["id"])
    assert {r["emoji"]: set(r["user_ids"]) for r in after["reactions"]} == {
        emoji: {person.id for person in people} for emoji in emojis
    }
    assert after["rev"] == message["rev"] + len(people) * len(emojis)


async def test_outsiders_find_no_messages(chat: Chat) -> None:
    ann, stranger = await chat.people("ann", "stranger")
    message = await ann.say(await ann.group(), "private")
    for message_id in (message["id"], NO_SUCH_ID, "no-id"):
        path = f"/messages/{message_id}"
        for response in (
            await stranger.get(path),
            await stranger.patch(path, text="mine"),
            await stranger.delete(path),
            await stranger.put(reaction_path(message_id, "👍")),
            await stranger.delete(reaction_path(message_id, "👍")),
        ):
            expect_problem(response, 404, "not_found")
        expect_problem(await chat.http.get(API + path), 401, "unauthenticated")
    assert await ann.message(message["id"]) == message
