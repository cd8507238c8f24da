"""Promise 2. Delivered until acknowledged.

Each recipient's queue holds a message until one of the recipient's devices has confirmed it; whatever is in the queue
is sent on the next connect, before live events, and neither a crash of the server nor of a client takes it away.
"""

import asyncio

from tests.conftest import Launch
from tests.support.http import expect_json
from tests.support.people import Chat, Person
from tests.support.socket import Socket
from tests.support.waiting import eventually


def queued_texts(socket: Socket) -> list[str]:
    return [frame["message"]["text"] for frame in socket.all("message.new", queued=True, message={"kind": "text"})]


async def confirmed(person: Person, room: str, seq: int) -> None:
    """Return when a confirmation of ``seq`` has been stored."""

    async def stored() -> bool:
        return (await person.conversation(room))["me"]["delivered_seq"] >= seq

    await eventually(stored)


async def test_kill_between_queueing_and_draining(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    for number in range(5):
        assert (await sender.say(room, str(number)))["status"] == "queued"
    await chat.server.crash_and_restart()
    socket = await bob.connect()
    assert socket.ready["queued"] == 5
    assert queued_texts(socket) == ["0", "1", "2", "3", "4"]


async def test_kill_in_the_middle_of_draining(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    count = 400
    await sender.say_many(room, [str(number) for number in range(count)])

    half_way = await bob.connect(drained=False)
    await half_way.expect("message.new", message={"seq": 100})
    await half_way.send("delivered", conversation_id=room, seq=100)
    await confirmed(bob, room, 100)
    chat.server.kill()
    await half_way.closed()
    await chat.server.start()
    assert queued_texts(await bob.connect()) == [str(number) for number in range(100, count)]


async def test_a_crashed_client_gets_it_again(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "before")
    for _ in range(3):
        socket = await bob.connect()
        assert queued_texts(socket) == ["before"]
        socket.cut()
    live = await bob.connect()
    await ann.say(room, "live, then lost")
    live.cut()
    assert queued_texts(await bob.connect()) == ["before", "live, then lost"]


async def test_acknowledged_messages_never_come_again(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    direct, group = await ann.direct(bob), await ann.group(bob)
    await ann.say(direct, "delivered")
    await ann.say(direct, "waits")
    read = await ann.say(group, "read")
    socket = await bob.connect()
    await socket.tell("delivered", conversation_id=direct, seq=1)
    await socket.tell("read", conversation_id=group, seq=read["seq"])
    await confirmed(bob, direct, 1)
    await confirmed(bob, group, read["seq"])
    await chat.server.crash_and_restart()
    socket = await bob.connect()
    assert socket.ready["queued"] == 1
    assert queued_texts(socket) == ["waits"]


async def test_the_promised_order_after_a_crash(launch: Launch) -> None:
    chat = await launch()
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    calm, urgent = await ann.direct(bob), await cat.direct(bob)
    for number in range(3):
        await ann.say(calm, f"calm {number}")
        await cat.say(urgent, f"urgent {number}", priority="high")
    await chat.server.crash_and_restart()
    texts = queued_texts(await bob.connect())
    assert texts == ["urgent 0", "urgent 1", "urgent 2", "calm 0", "calm 1", "calm 2"]


async def test_queued_before_live(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, [str(number) for number in range(200)])
    acks, socket = await asyncio.gather(
        sender.say_many(room, [f"live {number}" for number in range(50)]),
        bob.connect(),
    )
    assert acks[-1]["seq"] == 250

    async def seqs() -> list[int]:
        return [message["seq"] for message in socket.messages("message.new")]

    assert await eventually(seqs, lambda seqs: len(seqs) >= 250) == list(range(1, 251)), "each once, in order"


async def test_members_who_join_later_have_their_own_queue(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob)
    await ann.say(room, "only for bob")
    expect_json(await ann.put(f"/conversations/{room}/members/{cat.id}"))
    await ann.say(room, "for both")
    assert queued_texts(await bob.connect()) == ["only for bob", "for both"]
    assert queued_texts(await cat.connect()) == ["for both"]


async def test_beyond_the_limit_members_catch_up_from_what_they_know(launch: Launch) -> None:
    chat = await launch(QUEUE_MAX_MEMBERS="2")
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    large, small = await ann.group(bob, cat), await ann.direct(bob)
    rev = (await bob.conversation(large))["rev"]
    sent = await ann.say(large, "written once")
    await ann.say(small, "queued")
    fresh = await bob.connect()
    assert queued_texts(fresh) == ["queued"]
    knowing = await bob.connect(known={large: rev, small: 0})
    assert sent in knowing.messages("message.new")
