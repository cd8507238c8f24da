"""Several devices of one person at once (protocol.md section 2)."""

import asyncio

from tests.support.people import Chat
from tests.support.socket import MSGPACK


async def test_every_device_gets_every_message_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    devices = [await bob.connect(), await bob.connect(), await bob.connect(subprotocol=MSGPACK)]
    for number in range(20):
        await sender.say(room, str(number))
    for device in devices:
        await device.expect_text("19")
        assert device.texts(room) == [str(number) for number in range(20)]


async def test_a_second_sign_in_is_the_same_person(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    phone = await ann.sign_in_again()
    room = await ann.direct(bob)
    here, there = await ann.connect(), await phone.connect()
    await here.say(room, "from here")
    await there.expect_text("from here")
    await there.say(room, "from there")
    await here.expect_text("from there")
    assert here.texts(room) == ["from there"]


async def test_closing_one_device_leaves_the_others(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    gone, cut, stays = await bob.connect(), await bob.connect(), await bob.connect()
    await gone.close()
    cut.cut()
    await ann.say(room, "still there?")
    await stays.expect_text("still there?")
    assert (await stays.ask("ping"))["type"] == "pong"


async def test_devices_write_at_once(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    devices = [await ann.connect() for _ in range(3)]
    acks = await asyncio.gather(*(device.say(room, f"{n}") for n in range(10) for device in devices))
    assert sorted(ack["seq"] for ack in acks) == list(range(1, 31))
    for index, device in enumerate(devices):
        await asyncio.sleep(0.05)
        own = {ack["message_id"] for ack in acks[index :: len(devices)]}
        received = {message["id"] for message in device.messages("message.new")}
        assert received == {ack["message_id"] for ack in acks} - own


async def test_many_connections_of_one_account(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    devices = await asyncio.gather(*(bob.connect() for _ in range(20)))
    await ann.say(room, "to all of them")
    for device in devices:
        await device.expect_text("to all of them")
