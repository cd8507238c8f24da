"""What changed since a time, for clients that keep nothing else (protocol.md: GET /messages/sync)."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person
from tests.support.shapes import check_message, check_time

LONG_AGO = "2020-01-01T00:00:00Z"


async def page(person: Person, after: str, **params: Any) -> dict[str, Any]:
    """Return one page, checked for its shape."""
    answer: dict[str, Any] = expect_json(await person.get("/messages/sync", after=after, **params))
    assert answer.keys() == {"items", "next", "server_time"}
    check_time(answer["server_time"])
    for message in answer["items"]:
        check_message(message)
    return answer


async def changed(person: Person, after: str, *, limit: int = 50) -> tuple[list[dict[str, Any]], str]:
    """Return what changed, all pages of it, and the time to ask from next."""
    answer = await page(person, after, limit=limit)
    items, server_time = answer["items"], answer["server_time"]
    while answer["next"] is not None:
        assert len(answer["items"]) == limit, "only the last page is shorter"
        answer = await page(person, after, limit=limit, cursor=answer["next"])
        assert answer["server_time"] == server_time
        items += answer["items"]
    return items, server_time


async def now(person: Person) -> str:
    """Return the time to ask from, behind all that has happened."""
    await asyncio.sleep(0.005)
    return (await changed(person, LONG_AGO, limit=200))[1]


def by_id(messages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {message["id"]: message for message in messages}
    assert len(found) == len(messages), "each message once"
    return found


async def test_made_and_changed_after_a_time(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room, group = await ann.direct(bob), await ann.group(bob)
    old = [await ann.say(room, text) for text in ("edited", "deleted", "liked", "pinned", "untouched")]
    since = await now(bob)
    assert (await page(bob, since))["items"] == []
    expected = [
        await ann.edit(old[0]["id"], "edited since"),
        await ann.erase(old[1]["id"]),
        await ann.react(old[2]["id"], "👍"),
        await ann.pin(old[3]["id"]),
        await ann.say(room, "made since"),
        await bob.say(group, "made elsewhere"),
    ]
    for person in (ann, bob):
        items, _ = await changed(person, since)
        assert by_id(items) == by_id(expected)


async def test_a_change_is_returned_after_it_happened_and_not_forever(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "one")
    since = await now(bob)
    edited = await ann.edit(message["id"], "two")
    items, since = await changed(bob, since)
    assert items == [edited]
    await asyncio.sleep(0.01)
    _, since = await changed(bob, since)
    assert (await page(bob, since))["items"] == []


async def test_pages_are_of_the_size_asked_for_and_each_message_comes_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    rooms = [await ann.direct(bob), await ann.group(bob), await ann.group(bob)]
    socket = await ann.connect()
    for room in rooms:
        await socket.say_many(room, [str(number) for number in range(23)])
    everything = [message for room in rooms for message in await bob.history(room)]
    expected = by_id([m for m in everything if m["kind"] == "text" or m["seq"] > 0])
    for limit in (1, 7, 23, 24, 200):
        items, _ = await changed(bob, LONG_AGO, limit=limit)
        joined = {room: (await bob.conversation(room))["me"]["joined_seq"] for room in rooms}
        assert by_id(items) == {i: m for i, m in expected.items() if m["seq"] > joined[m["conversation_id"]]}
        places = [(message["conversation_id"], -message["rev"]) for message in items]
        assert places == sorted(places), "by conversation, the latest change first"


async def test_what_changes_while_pages_are_turned_comes_next_time(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    messages = [await ann.say(room, str(number)) for number in range(12)]
    first = await page(bob, LONG_AGO, limit=5)
    edited = await ann.edit(messages[0]["id"], "edited meanwhile")
    sent = await ann.say(room, "sent meanwhile")
    second = await page(bob, LONG_AGO, limit=5, cursor=first["next"])
    third = await page(bob, LONG_AGO, limit=5, cursor=second["next"])
    assert third["next"] is None
    assert third["server_time"] == first["server_time"]
    seqs = [m["seq"] for m in first["items"] + second["items"] + third["items"]]
    assert seqs == [*range(12, 1, -1)]
    later = by_id((await page(bob, first["server_time"]))["items"])
    assert later[edited["id"]] == edited
    assert later[sent["id"]] == sent


async def test_members_only_and_only_from_their_time(chat: Chat) -> None:
    ann, bob, stranger = await chat.people("ann", "bob", "stranger")
    since = await now(ann)
    room = await ann.group()
    channel = expect_json(await ann.post("/conversations", kind="channel", name="all"), 201)["id"]
    before = [await ann.say(place, "before bob") for place in (room, channel)]
    for place in (room, channel):
        expect_json(await ann.put(f"/conversations/{place}/members/{bob.id}"))
    for message in before:
        await ann.edit(message["id"], "before bob, edited since")
    with_bob = [await ann.say(place, "with bob") for place in (room, channel)]
    told = by_id((await page(bob, since))["items"])
    assert {message["id"] for message in with_bob} <= told.keys()
    assert not {message["id"] for message in before} & told.keys()
    joined = {place: (await bob.conversation(place))["me"]["joined_seq"] for place in (room, channel)}
    assert all(message["seq"] > joined[message["conversation_id"]] for message in told.values())
    assert (await page(stranger, since))["items"] == []
    expect_nothing(await bob.post(f"/conversations/{room}/leave"))
    assert {m["conversation_id"] for m in (await page(bob, since))["items"]} == {channel}


@pytest.mark.parametrize("after", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.5+02:00", "1970-01-01T00:00:00Z"])
async def test_times_that_are_understood(chat: Chat, after: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    message = await ann.say(await ann.direct(bob), "hello")
    assert (await page(bob, after))["items"] == [message]
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await page(bob, future))["items"] == []


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"after": ""},
        {"after": "yesterday"},
        {"after": "1700000000"},
        {"after": "2020-01-01"},
        {"after": "2020-01-01T00:00:00"},
        {"after": "2020-13-01T00:00:00Z"},
        {"after": "0001-01-01T00:00:00+10:00"},
        {"after": "9999-12-31T23:59:59-10:00"},
        {"after": LONG_AGO, "limit": "0"},
        {"after": LONG_AGO, "limit": "201"},
        {"after": LONG_AGO, "cursor": "nonsense"},
        {"after": LONG_AGO, "cursor": "WzEsMiwzXQ"},
        {"after": LONG_AGO, "cursor": "bnVsbA"},
    ],
    ids=str,
)
async def test_what_is_refused(chat: Chat, params: dict[str, str]) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.get("/messages/sync", **params), 422, "validation")
    expect_problem(await chat.http.get(f"{API}/messages/sync", params=params), 401, "unauthenticated")


async def test_nothing_is_missed_however_much_is_being_stored(chat: Chat) -> None:
    """A frame has a time from before its message could be read: asking from the current time would miss some."""
    people = await chat.people("ann", "bob", "cat", "dan")
    ann, bob, *_ = people
    rooms = [await ann.group(*people[1:]) for _ in range(3)]
    targets = [await ann.say(room, "target") for room in rooms]
    sockets = [await person.connect() for person in people]
    dice = random.Random(5)
    writing = True
    told: dict[str, dict[str, Any]] = {}

    async def write(number: int) -> None:
        socket = sockets[number]
        for burst in range(12):
            await socket.say_many(dice.choice(rooms), [f"{number} {burst} {n}" for n in range(40)])
            await socket.ask("reaction.add", message_id=dice.choice(targets)["id"], emoji=chr(0x1F600 + number))
            await socket.ask("reaction.remove", message_id=dice.choice(targets)["id"], emoji=chr(0x1F600 + number))
        await ann.edit(targets[number % 3]["id"], f"edited after {number}")

    async def ask() -> int:
        after, turns = LONG_AGO, 0
        while True:
            last = not writing
            items, after = await changed(bob, after, limit=200)
            for message in items:
                if message["rev"] >= told.get(message["id"], {"rev": 0})["rev"]:
                    told[message["id"]] = message
            turns += 1
            if last:
                return turns

    asking = asyncio.create_task(ask())
    await asyncio.gather(*(write(number) for number in range(4)))
    writing = False
    assert await asking > 5
    stored = by_id([message for room in rooms for message in await bob.history(room)])
    joined = {room: (await bob.conversation(room))["me"]["joined_seq"] for room in rooms}
    expected = {i: m for i, m in stored.items() if m["seq"] > joined[m["conversation_id"]]}
    assert len(expected) > 4 * 12 * 40
    assert told == expected
