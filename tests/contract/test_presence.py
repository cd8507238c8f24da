"""Presence (protocol.md section 2)."""

import asyncio
import itertools

import pytest

from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat
from tests.support.shapes import PRESENCE, check_fields, check_time
from tests.support.socket import SOON_S

GRACE_S = 8.0
"""Going offline is sent a few seconds late, so that a page reload is not visible."""


async def test_contacts_get_presence(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    watcher = await ann.connect()
    bob_socket = await bob.connect()
    told = await watcher.expect("presence", user_id=bob.id)
    check_fields(told, PRESENCE | {"type"})
    assert told["state"] == "online"
    await bob_socket.close()
    told = await watcher.expect("presence", user_id=bob.id, within=GRACE_S)
    assert told["state"] == "offline"
    check_time(told["last_seen"])


async def test_a_reload_does_not_blink(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    bob_socket = await bob.connect()
    watcher = await ann.connect()
    await bob_socket.close()
    await bob.connect()
    await watcher.nothing("presence", within=0.5)
    assert expect_json(await ann.get(f"/users/{bob.id}/presence"))["state"] == "online"


async def test_the_snapshot_has_contacts_and_direct_peers(chat: Chat) -> None:
    ann, contact, peer, stranger = await chat.people("ann", "contact", "peer", "stranger")
    await ann.add_contact(contact)
    await peer.say(await peer.direct(ann), "hello")
    for person in (contact, stranger):
        await person.connect()
    socket = await ann.connect()
    (snapshot,) = socket.all("presence.snapshot")
    for item in snapshot["items"]:
        check_fields(item, PRESENCE)
    states = {item["user_id"]: item["state"] for item in snapshot["items"]}
    assert states == {contact.id: "online", peer.id: "offline"}
    await peer.connect()
    await socket.expect("presence", user_id=peer.id, state="online")


async def test_strangers_get_no_presence(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    watcher = await ann.connect()
    bob_socket = await bob.connect()
    await bob_socket.ask("presence.set", state="away")
    await watcher.nothing("presence")


async def test_a_choice_is_sent_to_the_other_devices_of_the_user(chat: Chat) -> None:
    (ann,) = await chat.people("ann")
    phone, laptop = await ann.connect(), await ann.connect()
    for state, shown in (("dnd", "dnd"), ("invisible", "offline"), ("online", "online")):
        await phone.ask("presence.set", state=state)
        sent = await laptop.expect("presence", user_id=ann.id, state=shown)
        check_fields(sent, PRESENCE | {"type"})
    # The one that asked has the answer, and nothing else.
    await phone.ask("ping")
    assert len(phone.all("presence")) == 3


async def test_a_direct_peer_gets_presence_after_the_conversation(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    ann_socket, bob_socket = await ann.connect(), await bob.connect()
    await ann.direct(bob)
    await ann_socket.expect("conversation.joined")
    await ann_socket.ask("presence.set", state="away")
    await bob_socket.ask("presence.set", state="away")
    await ann_socket.expect("presence", user_id=bob.id, state="away")
    await bob_socket.nothing("presence")

    await ann_socket.ask("message.send", client_message_id="1", to=bob.id, text="hello")
    await bob_socket.expect_text("hello")
    # Both see it from now on; how soon after the frame is not promised.
    async with asyncio.timeout(SOON_S):
        for state in itertools.cycle(("dnd", "online")):
            await ann_socket.ask("presence.set", state=state)
            await bob_socket.ask("ping")
            if bob_socket.all("presence", user_id=ann.id):
                break


@pytest.mark.parametrize("way", ["a contact is removed", "a direct conversation is left"])
async def test_presence_stops_after_the_relation_ends(chat: Chat, way: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    if way == "a contact is removed":
        await ann.add_contact(bob)
    else:
        await ann.say(room := await ann.direct(bob), "hello")
    watcher, subscriber, bob_socket = await ann.connect(), await ann.connect(), await bob.connect()
    await subscriber.ask("presence.subscribe", user_ids=[bob.id])
    await watcher.expect("presence", user_id=bob.id, state="online")
    if way == "a contact is removed":
        expect_nothing(await ann.delete(f"/contacts/{bob.id}"))
    else:
        expect_nothing(await ann.post(f"/conversations/{room}/leave"))
    await bob_socket.ask("presence.set", state="away")
    await subscriber.expect("presence", user_id=bob.id, state="away")
    await watcher.nothing("presence")


async def test_a_removed_contact_who_is_a_direct_peer_is_still_watched(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    await ann.say(await ann.direct(bob), "hello")
    watcher, bob_socket = await ann.connect(), await bob.connect()
    expect_nothing(await ann.delete(f"/contacts/{bob.id}"))
    await bob_socket.ask("presence.set", state="away")
    await watcher.expect("presence", user_id=bob.id, state="away")


async def test_subscribing_to_others(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    bob_socket = await bob.connect()
    watcher = await ann.connect()
    snapshot = await watcher.ask("presence.subscribe", user_ids=[bob.id])
    assert snapshot["type"] == "presence.snapshot"
    assert [item["state"] for item in snapshot["items"] if item["user_id"] == bob.id] == ["online"]
    await bob_socket.ask("presence.set", state="away")
    await watcher.expect("presence", user_id=bob.id, state="away")

    await watcher.ask("presence.subscribe", user_ids=[cat.id])
    await bob_socket.ask("presence.set", state="online")
    await cat.connect()
    await watcher.expect("presence", user_id=cat.id, state="online")
    await watcher.nothing("presence")


async def test_subscribing_right_behind_connect(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    socket = await chat.open()
    await socket.send("connect", token=ann.access_token)
    await socket.send("presence.subscribe", user_ids=[bob.id], ref="s")
    await socket.expect("drained")
    await socket.ask("ping")
    await bob.connect()
    await socket.expect("presence", user_id=bob.id, state="online")


@pytest.mark.parametrize("way", ["contact", "direct", "subscription"])
async def test_a_block_holds_however_one_asks_again(chat: Chat, way: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.say(await ann.direct(bob), "hello")
    await ann.block(bob)
    watcher = await bob.connect()
    if way == "contact":
        await bob.add_contact(ann)
    elif way == "direct":
        await bob.direct(ann)
    else:
        await watcher.ask("presence.subscribe", user_ids=[ann.id])
    await (await ann.connect()).ask("presence.set", state="away")
    await watcher.ask("ping")
    await watcher.nothing("presence", within=0.3)


@pytest.mark.parametrize("way", ["contact", "direct", "subscription"])
async def test_the_presence_of_an_unblocked_user_is_sent_again(chat: Chat, way: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    watcher, _ = await bob.connect(), await ann.connect()
    if way == "contact":
        await bob.add_contact(ann)
    elif way == "direct":
        await ann.say(await ann.direct(bob), "hello")
    else:
        await watcher.ask("presence.subscribe", user_ids=[ann.id])
    await ann.block(bob)
    await watcher.expect("presence", user_id=ann.id, state="offline")
    await ann.unblock(bob)
    await watcher.expect("presence", user_id=ann.id, state="online")


async def test_a_user_unblocked_by_only_one_of_two_stays_hidden(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await bob.add_contact(ann)
    await ann.block(bob)
    await bob.block(ann)
    watcher, _ = await bob.connect(), await ann.connect()
    await ann.unblock(bob)
    await watcher.nothing("presence", within=0.3)


@pytest.mark.parametrize("state", ["away", "dnd", "online"])
async def test_setting_a_state(chat: Chat, state: str) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    watcher = await ann.connect()
    bob_socket = await bob.connect()
    await watcher.expect("presence", user_id=bob.id, state="online")
    answer = await bob_socket.ask("presence.set", state=state, status_text="at lunch 🍜")
    check_fields(answer, PRESENCE | {"type", "ref"})
    assert (answer["user_id"], answer["state"], answer["status_text"]) == (bob.id, state, "at lunch 🍜")
    await watcher.expect("presence", user_id=bob.id, state=state, status_text="at lunch 🍜")
    seen = expect_json(await ann.get(f"/users/{bob.id}/presence"))
    assert (seen["state"], seen["status_text"]) == (state, "at lunch 🍜")


async def test_invisible_looks_offline(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    bob_socket, watcher = await bob.connect(), await ann.connect()
    await bob_socket.ask("presence.set", state="invisible")
    await watcher.expect("presence", user_id=bob.id, state="offline")
    assert expect_json(await ann.get(f"/users/{bob.id}/presence"))["state"] == "offline"
    assert "invisible" not in str(watcher.frames)
    late = await ann.connect()
    (snapshot,) = late.all("presence.snapshot")
    assert [item["state"] for item in snapshot["items"]] == ["offline"]


async def test_one_of_two_devices_going_is_not_going(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    phone, _ = await bob.connect(), await bob.connect()
    watcher = await ann.connect()
    await phone.close()
    await asyncio.sleep(GRACE_S / 2)
    await watcher.nothing("presence")
    assert expect_json(await ann.get(f"/users/{bob.id}/presence"))["state"] == "online"
