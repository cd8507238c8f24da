"""Promise 7. Bounded.

A connection that reads too slowly is closed with 4408 once too much waits for it; nothing is lost, because the queue
or the history still has it.
"""

import asyncio
import socket as sockets

from tests.support.people import Chat
from tests.support.replica import Follower, assert_converges
from tests.support.socket import Socket

TEXT = "😀" * 9_900
"""About 40 kB on the wire, so that a few hundred fill every buffer between the server and a client that hangs."""

ENOUGH = 450
CLOSE_TRIED_S = 2.0


def narrow_socket(port: int) -> sockets.socket:
    """Return a TCP connection whose receiving side can hold next to nothing."""
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", port))
    narrow.setblocking(False)
    return narrow


async def write_until_given_up(sender: Socket, room: str) -> list[int]:
    """Send large messages until an ack says that nobody is connected; return the numbers of all of them."""
    seqs = []
    for number in range(ENOUGH):
        ack = await sender.say(room, f"{number} {TEXT}")
        seqs.append(ack["seq"])
        if ack["status"] == "queued":
            return seqs
    raise AssertionError(f"{ENOUGH} messages of 40 kB did not disturb a connection that reads nothing")


async def test_a_slow_reader_is_told_4408_and_loses_nothing(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    follower = Follower(bob)
    await follower.connect()
    await follower.disconnect()

    sender = await ann.connect()
    slow = await bob.connect(known=follower.replica.known, sock=narrow_socket(chat.server.port), max_queue=1)
    slow.stop_reading()
    seqs = await write_until_given_up(sender, room)
    slow.read_on()
    assert await slow.closed() == 4408
    assert not slow.all("bye")
    received = [message["seq"] for message in slow.messages("message.new") if message["seq"] >= seqs[0]]
    assert received == seqs[: len(received)], "what it got has no gap"
    assert len(received) < len(seqs)

    await follower.connect()
    await assert_converges(follower, room)


async def test_one_that_never_reads_again_is_cut(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    hung = await bob.connect(sock=narrow_socket(chat.server.port), max_queue=1)
    hung.stop_reading()
    seqs = await write_until_given_up(sender, room)
    await asyncio.sleep(CLOSE_TRIED_S + 1.0)
    hung.read_on()
    assert await hung.closed() in {1006, 4408}
    fresh = await bob.connect()
    assert [message["seq"] for message in fresh.messages("message.new")] == seqs


async def test_a_slow_reader_delays_nobody(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    sender, healthy = await ann.connect(), await cat.connect()
    hung = await bob.connect(sock=narrow_socket(chat.server.port), max_queue=1)
    hung.stop_reading()
    loop = asyncio.get_running_loop()
    for number in range(200):
        started = loop.time()
        await sender.say(room, f"{number} {TEXT}")
        await healthy.expect("message.new", message={"text": f"{number} {TEXT}"}, within=2.0)
        assert loop.time() - started < 2.0
    assert len(healthy.texts(room)) == 200


async def test_a_slow_reader_of_a_long_queue_is_waited_for(chat: Chat) -> None:
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
