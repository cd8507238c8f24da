"""Being added to conversations by strangers is limited."""

import asyncio

import pytest

from chat_mvp.limits import MAX_UNSEEN_FROM_ONE_STRANGER
from tests.conftest import Launch
from tests.support.http import expect_json, expect_problem


async def test_a_stranger_adds_someone_only_so_often(launch: Launch) -> None:
    chat = await launch(RATE_LIMITS="on")
    eve, ann, bob = await chat.people("eve", "ann", "bob")
    room = await bob.group(eve)
    expect_json(await bob.patch(f"/conversations/{room}/members/{eve.id}", role="admin"))
    groups = (eve.group(ann, name=f"room {number}") for number in range(MAX_UNSEEN_FROM_ONE_STRANGER))
    rooms = await asyncio.gather(*groups)

    refused = expect_problem(await eve.put(f"/conversations/{room}/members/{ann.id}"), 403, "forbidden")
    assert "too many conversations" in refused["detail"]
    expect_problem(await eve.post("/conversations", kind="group", name="one more"), 429, "rate_limited")

    socket = await ann.connect()
    await socket.tell("read", conversation_id=rooms[0], seq=1)
    expect_json(await eve.put(f"/conversations/{room}/members/{ann.id}"))
    await bob.delete(f"/conversations/{room}/members/{ann.id}")
    expect_json(await eve.put(f"/conversations/{room}/members/{ann.id}"))

    another = await bob.group(ann, name="bob is another stranger")
    assert another in {conversation["id"] for conversation in await ann.conversations()}


@pytest.mark.slow
async def test_contacts_add_each_other_without_counting(launch: Launch) -> None:
    chat = await launch(RATE_LIMITS="on")
    ann, bob = await chat.people("ann", "bob")
    room = await bob.group(name="room")
    await ann.add_contact(bob)
    for _ in range(MAX_UNSEEN_FROM_ONE_STRANGER + 1):
        expect_json(await bob.put(f"/conversations/{room}/members/{ann.id}"))
        await bob.delete(f"/conversations/{room}/members/{ann.id}")
