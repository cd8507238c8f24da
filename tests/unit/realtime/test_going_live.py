"""From catching up to live: which frames a connection gets, and in which order, without a socket."""

import asyncio
from typing import Any

import pytest
from msgspec import structs

from chat_mvp.bench.messages import stored_message
from chat_mvp.delivery.bus import Publication
from chat_mvp.limits import MAX_HELD_BYTES
from chat_mvp.protocol import (
    CLOSE_TOO_SLOW,
    ConversationLeft,
    Drained,
    Message,
    MessageEdited,
    MessageNew,
    Pong,
    ServerFrame,
)
from chat_mvp.realtime.session import Phase
from tests.unit.realtime.wires import Wire

ROOM = "a room"
NOW = "2026-11-21T10:00:00.000Z"


@pytest.fixture
async def wire() -> Wire:
    wire = Wire()
    wire.connection.session.begin_catching_up()
    wire.connection.session.note_snapshot(ROOM, 10)
    return wire


def message(rev: int) -> Message:
    return stored_message(
        id=f"message {rev}",
        conversation_id=ROOM,
        seq=rev,
        rev=rev,
        sender_id="bob",
        client_message_id=f"name {rev}",
        created_at=NOW,
    )


def new(rev: int) -> ServerFrame:
    return MessageNew(message=message(rev), queued=False)


def edited(rev: int) -> ServerFrame:
    return MessageEdited(message=message(rev))


def publish(wire: Wire, frame: Any, *, asked_by: str | None = None) -> None:
    wire.registry.deliver(
        Publication(
            audience=("ann",),
            frame=frame,
            conversation_id=ROOM,
            rev=frame.message.rev,
            message_id=frame.message.id,
            answered_connection=asked_by,
        )
    )


async def test_held_events_follow_drained_without_those_of_the_snapshot(wire: Wire) -> None:
    for rev in (9, 10, 11, 12):
        publish(wire, new(rev))
    assert await wire.sent() == []
    await wire.connection.go_live(Drained(count=0))
    publish(wire, new(13))
    assert await wire.sent() == [("drained", 0), ("message.new", 11), ("message.new", 12), ("message.new", 13)]
    assert wire.connection.session.phase is Phase.LIVE


async def test_answers_are_not_held_back_by_catching_up(wire: Wire) -> None:
    publish(wire, new(11))
    wire.connection.answer(Pong(server_time=NOW))
    assert await wire.sent() == [("pong", 0)]


async def test_no_answer_overtakes_what_was_held(wire: Wire) -> None:
    # The client raises what it knows from drained on: an answer with a higher rev, sent before what was held, would
    # make it believe that it has those too.
    wire.gate.clear()
    events = range(11, 800)
    for rev in events:
        publish(wire, new(rev))
    going = asyncio.create_task(wire.connection.go_live(Drained(count=0)))
    await asyncio.sleep(0.01)
    assert not going.done()
    wire.connection.answer(edited(800))
    publish(wire, new(801))
    wire.gate.set()
    await going
    assert [rev for _, rev in await wire.sent()] == [0, *events, 800, 801]


async def test_own_change_while_catching_up_comes_again_at_the_end(wire: Wire) -> None:
    # What was read before the change may still be on its way behind the answer.
    publish(wire, edited(11), asked_by="own")
    wire.connection.answer(edited(11))
    await wire.connection.go_live(Drained(count=0))
    publish(wire, edited(12), asked_by="own")
    assert await wire.sent() == [("message.edited", 11), ("drained", 0), ("message.edited", 11)]


async def test_own_message_comes_as_an_ack_only(wire: Wire) -> None:
    publish(wire, new(11), asked_by="own")
    await wire.connection.go_live(Drained(count=0))
    assert await wire.sent() == [("drained", 0)]


async def test_connection_that_ends_meanwhile_stays_ended(wire: Wire) -> None:
    wire.gate.clear()
    for rev in range(11, 800):
        publish(wire, new(rev))
    going = asyncio.create_task(wire.connection.go_live(Drained(count=0)))
    await asyncio.sleep(0.01)
    wire.connection.session.phase = Phase.CLOSED
    wire.connection.outbox.close()
    await going
    assert wire.connection.session.phase is Phase.CLOSED


def left(conversation_id: str) -> Publication:
    return Publication(audience=("ann",), frame=ConversationLeft(conversation_id=conversation_id))


async def test_a_removed_member_gets_conversation_left_after_drained(wire: Wire) -> None:
    wire.registry.deliver(left(ROOM))
    assert wire.connection.session.left == (ROOM,)
    await wire.connection.go_live(Drained(count=0))
    assert [type_ for type_, _ in await wire.sent()] == ["drained", "conversation.left"]
    assert wire.connection.session.left == ()


async def test_a_removal_that_the_snapshot_covers_is_not_sent_again(wire: Wire) -> None:
    publish(wire, new(11))
    wire.registry.deliver(left(ROOM))
    wire.registry.deliver(left("another room"))
    publish(wire, new(12))
    wire.registry.deliver(left(ROOM))
    publish(wire, new(13))
    wire.connection.session.forget_left(ROOM)
    assert wire.connection.session.left == ("another room",)
    await wire.connection.go_live(Drained(count=0))
    assert await wire.sent() == [("drained", 0), ("conversation.left", 0), ("message.new", 13)]


async def test_what_is_held_is_limited_by_its_bytes_too(wire: Wire) -> None:
    size = 100_000
    for number in range(MAX_HELD_BYTES // size + 1):
        assert wire.connection.session.phase is Phase.CATCHING_UP, number
        publish(wire, MessageNew(message=structs.replace(message(11 + number), text="x" * size), queued=False))
    assert wire.closed == [CLOSE_TOO_SLOW]


async def test_a_connection_that_ends_holds_nothing(wire: Wire) -> None:
    publish(wire, new(11))
    wire.connection.end()
    assert wire.connection.session.take_held() == []
