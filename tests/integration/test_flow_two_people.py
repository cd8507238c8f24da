"""The main story, from registration to a crash between queueing and draining, as two users see it."""

from typing import Any

from tests.conftest import Launch
from tests.support.http import expect_json
from tests.support.people import Chat
from tests.support.replica import Follower, assert_converges
from tests.support.texts import awkward_texts


async def test_two_people_chat_and_one_disconnects_and_reconnects(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    (found,) = expect_json(await ann.get("/users", q=bob.username))["items"]
    assert found["id"] == bob.id
    await ann.add_contact(bob)

    # Both are there: live delivery, typing, receipts.
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await ann_socket.expect("presence", user_id=bob.id, state="online")
    ack = await ann_socket.ask("message.send", client_message_id="1", to=bob.id, text="Hello Bob!")
    room = ack["conversation_id"]
    assert (ack["seq"], ack["status"]) == (1, "sent")
    await bob_socket.expect("conversation.joined", conversation={"id": room})
    await bob_socket.expect_text("Hello Bob!")
    await bob_socket.tell("delivered", conversation_id=room, seq=1)
    await ann_socket.expect("receipt", user_id=bob.id, delivered_seq=1, read_seq=0)
    await bob_socket.tell("read", conversation_id=room, seq=1)
    await ann_socket.expect("receipt", user_id=bob.id, delivered_seq=1, read_seq=1)
    await bob_socket.tell("typing", conversation_id=room, state="start")
    await ann_socket.expect("typing", user_id=bob.id, state="start")
    await bob_socket.say(room, "Hello Ann!")
    await ann_socket.expect_text("Hello Ann!")
    await ann_socket.tell("read", conversation_id=room, seq=2)
    await bob_socket.expect("receipt", user_id=ann.id, read_seq=2)

    # Bob leaves; what Ann writes waits for him.
    epoch = bob_socket.ready["epoch"]
    await bob_socket.close()
    offline = await ann_socket.expect("presence", user_id=bob.id, within=10)
    assert offline["state"] == "offline"
    for text in ("Are you there?", "Well then.", "Good night."):
        assert (await ann_socket.say(room, text))["status"] == "queued"
    (waiting,) = await bob.conversations()
    assert (waiting["id"], waiting["me"]["unread"]) == (room, 3)
    assert waiting["last_message"]["text"] == "Good night."

    # Bob comes back, gets it all in order, and Ann sees that he has it and then that he read it.
    bob_socket = await bob.connect(known={room: 2}, epoch=epoch)
    assert bob_socket.ready["recovered"] is True
    assert bob_socket.ready["queued"] == 3
    assert bob_socket.texts(room) == ["Are you there?", "Well then.", "Good night."]
    await bob_socket.tell("delivered", conversation_id=room, seq=5)
    await ann_socket.expect("receipt", user_id=bob.id, delivered_seq=5, read_seq=1)
    await bob_socket.tell("read", conversation_id=room, seq=5)
    await ann_socket.expect("receipt", user_id=bob.id, delivered_seq=5, read_seq=5)
    (conversation,) = await bob.conversations()
    assert conversation["me"]["unread"] == 0
    assert await ann.history(room) == await bob.history(room)


async def test_the_server_crashes_between_queueing_and_draining(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sender = await ann.connect()
    texts = awkward_texts(40, seed=2)
    acks = [await sender.say(room, text) for text in texts]
    assert {ack["status"] for ack in acks} == {"queued"}

    await chat.server.crash_and_restart()

    receiver = await bob.connect()
    assert receiver.texts(room) == texts
    assert [message["id"] for message in receiver.messages()] == [ack["message_id"] for ack in acks]
    sender = await ann.connect()
    await receiver.tell("read", conversation_id=room, seq=len(texts))
    await sender.expect("receipt", user_id=bob.id, read_seq=len(texts))
    assert (await receiver.say(room, "Got it all."))["seq"] == len(texts) + 1
    await sender.expect_text("Got it all.")
    await receiver.close()
    assert (await bob.connect()).ready["queued"] == 0


async def test_a_group_talks_in_all_scripts(chat: Chat) -> None:
    people = await chat.people(*["talker"] * 8)
    owner = people[0]
    room = await owner.group(*people[1:])
    sockets = [await person.connect() for person in people[:6]]
    texts = awkward_texts(480, seed=3)
    said: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        said.append(await sockets[index % len(sockets)].say(room, text))

    history = [message for message in await owner.history(room) if message["kind"] == "text"]
    assert [message["text"] for message in history] == texts
    assert [message["id"] for message in history] == [ack["message_id"] for ack in said]
    assert [message["sender_id"] for message in history] == [people[index % 6].id for index in range(len(texts))]
    for index, socket in enumerate(sockets):
        others = [text for number, text in enumerate(texts) if number % len(sockets) != index]
        await socket.expect_text(others[-1])
        assert socket.texts(room) == others
    for absent in people[6:]:
        assert (await absent.connect()).texts(room) == texts


async def test_a_day_with_a_bad_connection(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "Good morning")
    train = Follower(bob)
    await train.connect()
    sender = await ann.connect()
    for number in range(10):
        for part in range(5):
            await sender.say(room, f"{number}.{part}")
        if number % 3 == 2:
            last = train.replica.messages[room]
            await ann.edit(next(m["id"] for m in last.values() if m["sender_id"] == ann.id), f"edited {number}")
        await train.catch_up_live(room)
        await assert_converges(train, room)
        await train.disconnect(rudely=True)
        await sender.say(room, f"in the tunnel {number}")
        await train.connect()
        await assert_converges(train, room)
    assert len(await bob.history(room)) == 61
