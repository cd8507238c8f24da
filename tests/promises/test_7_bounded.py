"""Promise 7. Bounded.

A connection that reads too slowly is closed with 4408 once too much waits for it; nothing is lost, because the queue
or the history still has it.
"""

import asyncio

import psutil

from tests.conftest import Launch
from tests.support.backlog import add_backlog
from tests.support.people import Chat
from tests.support.replica import Follower, assert_converges
from tests.support.socket import Socket, narrow_socket

TEXT = "😀" * 9_900
"""About 40 kB on the wire, so that a few hundred fill every buffer between the server and a client that hangs."""

TOO_MUCH = 180
"""So many of them are 7 MB: more than the network's buffers, about 3 MB, and the server's 1 MiB can hold."""

CLOSE_TRIED_S = 2.0

MANY = 20_000
"""So many waiting messages of a thousand characters are 28 MB on the wire."""

GROWTH = 12 * 1024 * 1024
"""What the server may need beside: pages of the queue, and what waits for one connection, at most 1 MiB."""


async def write_too_much(sender: Socket, room: str) -> list[int]:
    """Send more than can wait for one connection; return the numbers of the messages."""
    acks = await sender.say_many(room, [f"{number} {TEXT}" for number in range(TOO_MUCH)])
    return [ack["seq"] for ack in acks]


async def test_a_slow_reader_is_closed_with_4408_and_loses_nothing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    follower = Follower(bob)
    await follower.connect()
    await follower.disconnect()

    sender = await ann.connect()
    slow = await bob.connect(known=follower.replica.known, sock=narrow_socket(chat.server.port), max_queue=1)
    slow.stop_reading()
    seqs = await write_too_much(sender, room)
    slow.read_on()
    assert await slow.closed() == 4408
    assert not slow.all("bye")
    received = [message["seq"] for message in slow.messages("message.new") if message["seq"] >= seqs[0]]
    assert received == seqs[: len(received)], "what it got has no gap"
    assert len(received) < len(seqs)

    await follower.connect()
    await assert_converges(follower, room)


async def test_a_client_that_never_reads_again_is_dropped(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    hung = await bob.connect(sock=narrow_socket(chat.server.port), max_queue=1)
    hung.stop_reading()
    seqs = await write_too_much(sender, room)
    await asyncio.sleep(CLOSE_TRIED_S + 1.0)
    last = await sender.say(room, "is anybody there?")
    assert last["status"] == "queued", "a connection that was cut is no longer there"
    hung.read_on()
    assert await hung.closed() in {1006, 4408}
    fresh = await bob.connect()
    assert [message["seq"] for message in fresh.messages("message.new")] == [*seqs, last["seq"]]


async def test_a_slow_reader_delays_no_other_client(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    sender, healthy = await ann.connect(), await cat.connect()
    loop = asyncio.get_running_loop()

    async def longest_of(numbers: range) -> float:
        longest = 0.0
        for number in numbers:
            started = loop.time()
            await sender.say(room, f"{number} {TEXT}")
            await healthy.expect("message.new", message={"text": f"{number} {TEXT}"})
            longest = max(longest, loop.time() - started)
        return longest

    before = await longest_of(range(50))
    hung = await bob.connect(sock=narrow_socket(chat.server.port), max_queue=1)
    hung.stop_reading()
    meanwhile = await longest_of(range(50, 50 + TOO_MUCH))
    assert meanwhile < before + CLOSE_TRIED_S, "no other client waits until the one that does not read is dropped"
    assert len(healthy.texts(room)) == 50 + TOO_MUCH


async def test_the_server_waits_for_a_slow_reader_of_a_long_queue(chat: Chat) -> None:
    """What waits in the queue comes at the reader's pace, however much it is."""
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    await sender.say_many(room, [f"{number} {TEXT}" for number in range(200)])
    slow = await bob.connect(drained=False, sock=narrow_socket(chat.server.port), max_queue=1)
    slow.stop_reading()
    await asyncio.sleep(CLOSE_TRIED_S + 1.0)
    slow.read_on()
    await slow.expect("drained", within=30.0)
    assert [message["seq"] for message in slow.messages("message.new")] == list(range(1, 201))
    assert slow.is_open


async def test_a_long_queue_is_never_held_in_memory(launch: Launch) -> None:
    """It is read page by page, at the pace of a client that stops in the middle, and each message comes once."""
    chat = await launch()
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, urgent = await ann.direct(bob), await cat.direct(bob)
    first = await ann.say(room, "first")
    await cat.say(urgent, "urgent", priority="high")
    await add_backlog(chat.server, room, ann.id, bob.id, [f"{number} {'x' * 1000}" for number in range(MANY)])
    last = await ann.say(room, "last")
    server = psutil.Process(chat.server.pid)
    before = peak = server.memory_info().rss

    socket = await bob.connect(drained=False, max_queue=16)
    assert socket.ready["queued"] == MANY + 3
    for pause in (True, False):
        if pause:
            socket.stop_reading()
        else:
            socket.read_on()
        for _ in range(10):
            await asyncio.sleep(0.1)
            peak = max(peak, server.memory_info().rss)
    while not socket.all("drained"):
        await asyncio.sleep(0.05)
        peak = max(peak, server.memory_info().rss)
        assert socket.is_open
    assert peak - before < GROWTH, f"{(peak - before) / 2**20:.1f} MiB more"
    messages = [frame["message"] for frame in socket.all("message.new", queued=True)]
    assert socket.all("drained")[0]["count"] == MANY + 3
    assert [message["text"] for message in messages[:2]] == ["urgent", "first"]
    assert [message["seq"] for message in messages[1:]] == list(range(first["seq"], last["seq"] + 1))

    # So many leave the queue in several batches, between which others have their turn.
    sender = await ann.connect()
    await socket.send("delivered", conversation_id=room, seq=last["seq"])
    marks = [(await sender.expect("receipt"))["delivered_seq"]]
    while marks[-1] < last["seq"]:
        marks.append((await sender.expect("receipt"))["delivered_seq"])
    assert marks == sorted(marks)
    assert (await bob.connect()).ready["queued"] == 1
