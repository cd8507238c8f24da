"""Promise 3. Order.

``seq`` counts 1, 2, 3 … without a gap in each conversation; every connection sees a conversation's new messages in
that order.
"""

import asyncio
import random

from tests.conftest import Launch
from tests.support.people import Chat, Person
from tests.support.socket import MSGPACK, Socket

SENDS_EACH = 40


def seen(socket: Socket, room: str) -> list[int]:
    """Return the ``seq`` of each new message of a conversation in the order this connection learned of it."""
    seqs = []
    for frame in socket.frames:
        if frame["type"] == "message.ack" and frame["conversation_id"] == room:
            seqs.append(frame["seq"])
        elif frame["type"] == "message.new" and frame["message"]["conversation_id"] == room:
            seqs.append(frame["message"]["seq"])
    return seqs


async def saw(socket: Socket, room: str, last_seq: int) -> None:
    """Wait until this connection has learned of the last message."""
    for _ in range(200):
        if last_seq in seen(socket, room):
            return
        await asyncio.sleep(0.025)
    raise AssertionError(f"never saw {last_seq}, only {seen(socket, room)[-5:]}")


async def check_order(person: Person, room: str, sockets: list[Socket], sent: int) -> None:
    """Fail unless ``sent`` messages have gapless numbers and every connection saw them in that order."""
    history = await person.history(room)
    first = history[-sent]["seq"]
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    assert (await person.conversation(room))["last_seq"] == len(history)
    for socket in sockets:
        await saw(socket, room, len(history))
        seqs = seen(socket, room)
        assert seqs[0] <= first
        assert seqs == list(range(seqs[0], len(history) + 1))


async def test_many_senders_at_once(chat: Chat) -> None:
    people = await chat.people("ann", "bob", "cat", "dan")
    room = await people[0].group(*people[1:])
    known = {room: (await people[0].conversation(room))["rev"]}
    sockets = [await person.connect(known=known) for person in people]
    sockets.append(await people[0].connect(known=known, subprotocol=MSGPACK))
    await asyncio.gather(*(socket.say(room, str(n)) for n in range(SENDS_EACH) for socket in sockets))
    await check_order(people[0], room, sockets, SENDS_EACH * len(sockets))


async def test_over_http_and_websocket_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await asyncio.gather(
        *(ann.say(room, f"http {number}") for number in range(SENDS_EACH)),
        *(ann_socket.say(room, f"ann {number}") for number in range(SENDS_EACH)),
        *(bob_socket.say(room, f"bob {number}") for number in range(SENDS_EACH)),
    )
    await check_order(ann, room, [ann_socket, bob_socket], 3 * SENDS_EACH)


async def test_one_senders_messages_keep_their_order(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    texts = [str(number) for number in range(300)]
    acks = await sender.say_many(room, texts)
    await receiver.expect_text("299")
    assert receiver.texts(room) == texts
    assert sender.all("message.ack") == acks
    assert [ack["seq"] for ack in acks] == list(range(1, 301))


async def test_conversations_count_for_themselves(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    rooms = [await ann.direct(bob), await ann.direct(cat)]
    socket = await ann.connect()
    acks = await asyncio.gather(*(socket.say(room, "x") for _ in range(25) for room in rooms))
    for room in rooms:
        assert [ack["seq"] for ack in acks if ack["conversation_id"] == room] == list(range(1, 26))


async def test_refused_sends_leave_no_gap(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()
    dice = random.Random(3)
    good = 0
    for number in range(60):
        if dice.random() < 0.5:
            await sender.send("message.send", client_message_id=f"{number}", conversation_id=room, text="")
        else:
            await sender.send("message.send", client_message_id=f"{number}", conversation_id=room, text="good")
            good += 1
    await sender.say(room, "last")
    await receiver.expect_text("last")
    assert seen(receiver, room) == list(range(1, good + 2))
    assert len(sender.all("error", code="validation")) == 60 - good


async def test_seq_continues_after_a_crash(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    for expected in range(1, 4):
        socket = await ann.connect()
        assert (await socket.say(room, "hello"))["seq"] == expected
        await chat.server.crash_and_restart()
    assert [message["seq"] for message in await bob.history(room)] == [1, 2, 3]
