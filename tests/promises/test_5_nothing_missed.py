"""Promise 5. Nothing missed after a reconnect.

``rev`` counts every change of a conversation's messages. What a client knew, with the frames it gets by ``drained``,
equals what a fresh fetch says.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import Launch
from tests.support.http import describe, expect_json
from tests.support.people import Chat, Person, reaction_path
from tests.support.replica import Follower, assert_converges, snapshot

EMOJIS = ["👍", "🎉", "👩‍🚀", "❤️"]

Change = Callable[[Person, str, str], Awaitable[object]]


async def unreact(person: Person, message_id: str) -> None:
    await person.react(message_id, "🎉")
    expect_json(await person.delete(reaction_path(message_id, "🎉")))


async def unpin(person: Person, message_id: str) -> None:
    await person.pin(message_id)
    await person.unpin(message_id)


CHANGES: dict[str, Change] = {
    "send": lambda person, room, _: person.say(room, "new"),
    "edit": lambda person, _, message_id: person.edit(message_id, "edited"),
    "delete": lambda person, _, message_id: person.erase(message_id),
    "react": lambda person, _, message_id: person.react(message_id, "👍"),
    "react and take it back": lambda person, _, message_id: unreact(person, message_id),
    "pin": lambda person, _, message_id: person.pin(message_id),
    "pin and take it back": lambda person, _, message_id: unpin(person, message_id),
}


async def follower_of(chat: Chat) -> tuple[Person, Follower, str, list[str]]:
    """Return a writer, a reader who has fetched their conversation, its id and the ids of its messages."""
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    ids = [(await ann.say(room, f"message {number}"))["id"] for number in range(5)]
    follower = Follower(bob)
    await follower.connect()
    await assert_converges(follower, room)
    return ann, follower, room, ids


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_while_connected(chat: Chat, change: str) -> None:
    ann, follower, room, ids = await follower_of(chat)
    before = snapshot(follower, room)
    await CHANGES[change](ann, room, ids[2])
    await follower.catch_up_live(room)
    await assert_converges(follower, room, since=before)


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "unconfirmed"])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_while_away(chat: Chat, change: str, confirmed: bool) -> None:
    ann, follower, room, ids = await follower_of(chat)
    before = snapshot(follower, room)
    if confirmed and follower.socket:
        await follower.socket.tell("delivered", conversation_id=room, seq=5)
    await follower.disconnect()
    await CHANGES[change](ann, room, ids[2])
    await follower.connect()
    await assert_converges(follower, room, since=before)


async def random_changes(people: list[Person], room: str, dice: random.Random, count: int) -> None:
    """Let these people do ``count`` things at random, one after the other, to messages old and new."""
    for _ in range(count):
        person = dice.choice(people)
        texts = [message for message in await person.page(room, limit=100) if message["kind"] == "text"]
        alive = [message for message in texts if message["deleted_at"] is None]
        own = [message for message in alive if message["sender_id"] == person.id]
        action = dice.choice(["send", "send", "edit", "delete", "react", "unreact", "pin", "unpin"])
        if action == "edit" and own:
            edited = await person.patch(f"/messages/{dice.choice(own)['id']}", text=f"edit {dice.random()}")
            # Another user who acts at random may have deleted it since.
            assert edited.status_code in {200, 409}, describe(edited)
        elif action == "delete" and own:
            await person.erase(dice.choice(own)["id"])
        elif action == "react" and alive:
            await person.request("PUT", reaction_path(dice.choice(alive)["id"], dice.choice(EMOJIS)))
        elif action == "unreact" and alive:
            await person.request("DELETE", reaction_path(dice.choice(alive)["id"], dice.choice(EMOJIS)))
        elif action in {"pin", "unpin"} and alive:
            await person.request("PUT" if action == "pin" else "DELETE", f"/messages/{dice.choice(alive)['id']}/pin")
        else:
            await person.say(room, f"text {dice.random()}", priority=dice.choice(["normal", "high"]))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_changes_in_random_order(chat: Chat, seed: int) -> None:
    dice = random.Random(seed)
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    follower = Follower(bob)
    await follower.connect()
    for _ in range(5):
        before = snapshot(follower, room)
        await random_changes([ann, cat, bob], room, dice, 6)
        await follower.catch_up_live(room)
        await assert_converges(follower, room, since=before)
        if dice.random() < 0.5 and follower.socket:
            await follower.socket.tell("delivered", conversation_id=room, seq=max(1, dice.randint(1, 40)))
        await follower.disconnect(rudely=dice.random() < 0.5)
        before = snapshot(follower, room)
        await random_changes([ann, cat], room, dice, 6)
        await follower.connect()
        await assert_converges(follower, room, since=before)


async def test_changes_while_catching_up(chat: Chat) -> None:
    dice = random.Random(7)
    ann, follower, room, _ = await follower_of(chat)
    for _ in range(6):
        await follower.disconnect()
        before = snapshot(follower, room)
        await random_changes([ann], room, dice, 5)
        await asyncio.gather(follower.connect(), *(random_changes([ann], room, dice, 4) for _ in range(2)))
        await follower.catch_up_live(room)
        await assert_converges(follower, room, since=before, quiet=False)


async def test_a_connection_lost_while_catching_up(chat: Chat) -> None:
    ann, follower, room, _ = await follower_of(chat)
    await follower.disconnect()
    before = snapshot(follower, room)
    for number in range(150):
        await ann.say(room, f"more {number}")
    known = dict(follower.replica.known)
    for frames in (1, 40):
        half_way = await follower.person.connect(known=known, epoch=follower.replica.epoch, drained=False)
        for _ in range(frames):
            await half_way.expect("message.new")
        half_way.cut()
        await half_way.close()
        if not half_way.all("drained"):
            follower.replica.take(half_way.frames)
            assert follower.replica.known == known, "before drained nothing is known"
    await follower.connect()
    await assert_converges(follower, room, since=before)


async def test_more_than_can_be_streamed(chat: Chat) -> None:
    ann, follower, room, ids = await follower_of(chat)
    await follower.disconnect()
    before = snapshot(follower, room)
    socket = await ann.connect()
    await socket.say_many(room, [str(number) for number in range(600)])
    await ann.edit(ids[0], "edited too")
    await follower.connect()
    await assert_converges(follower, room, since=before)
    await follower.disconnect()
    await ann.edit(ids[1], "edited later")
    await follower.connect()
    await assert_converges(follower, room, since=before)


async def test_several_conversations(chat: Chat) -> None:
    dice = random.Random(11)
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    rooms = [await ann.direct(bob), await cat.direct(bob), await ann.group(bob, cat)]
    others = {rooms[0]: [ann], rooms[1]: [cat], rooms[2]: [ann, cat]}
    for room in rooms:
        await random_changes(others[room], room, dice, 4)
    follower = Follower(bob)
    await follower.connect()
    for _ in range(3):
        await follower.disconnect()
        await asyncio.gather(*(random_changes(others[room], room, dice, 5) for room in rooms))
        await follower.connect()
        for room in rooms:
            await assert_converges(follower, room)


async def test_across_a_crash_of_the_server(launch: Launch) -> None:
    chat = await launch()
    ann, follower, room, ids = await follower_of(chat)
    before = snapshot(follower, room)
    await ann.edit(ids[0], "just before the crash")
    chat.server.kill()
    await follower.disconnect()
    await chat.server.start()
    await ann.react(ids[1], "🎉")
    await ann.say(room, "after the crash")
    await follower.connect()
    assert follower.socket is not None
    assert follower.socket.ready["recovered"] is True
    await assert_converges(follower, room, since=before)


async def test_own_changes_from_another_device(chat: Chat) -> None:
    _, follower, room, _ = await follower_of(chat)
    bob = follower.person
    await follower.disconnect()
    before = snapshot(follower, room)
    message = await bob.say(room, "from the phone")
    await bob.edit(message["id"], "from the phone, edited")
    await bob.say(room, "and again")
    await follower.connect()
    await assert_converges(follower, room, since=before)
