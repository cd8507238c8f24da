"""Whose presence a connection gets if a block changes while it is read."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any

import pytest

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.protocol import PresenceState
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.storage.arrivals import PresenceRecord
from chat_mvp.storage.contacts import BlockPair, Contacts
from chat_mvp.supervision import Supervisor
from tests.unit.realtime.wires import Wire

Ask = Callable[[PresenceTracker, Wire], Awaitable[Any]]


class SlowContacts(Contacts):
    """The block lists; reading them waits until ``gate`` is opened and says what stood there before."""

    def __init__(self) -> None:
        self.blocked: set[BlockPair] = set()
        self.reads = 0
        self.reading = asyncio.Event()
        self.gate = asyncio.Event()

    async def fetch_blocks(self, _user_id: str) -> set[BlockPair]:
        found = set(self.blocked)
        self.reads += 1
        self.reading.set()
        await self.gate.wait()
        return found


async def fetch_no_presences(_user_ids: Collection[str]) -> dict[str, PresenceRecord]:
    return {}


async def save_nothing(_moments: dict[str, datetime]) -> None:
    return None


async def connect(tracker: PresenceTracker, wire: Wire) -> list[PresenceState]:
    return await tracker.watch(wire.connection, ["bob"])


async def show(tracker: PresenceTracker, wire: Wire) -> None:
    await tracker.watch_also("ann", [wire.connection], "bob", tell_now=True)


async def look(tracker: PresenceTracker, _wire: Wire) -> list[PresenceState]:
    return [await tracker.state_for("ann", "bob")]


@pytest.mark.parametrize("ask", [connect, show, look])
async def test_a_block_that_is_set_while_blocks_are_read(ask: Ask) -> None:
    wire, contacts = Wire(), SlowContacts()
    blocks = Blocks(contacts.fetch_blocks)
    tracker = PresenceTracker(
        fetch_presences=fetch_no_presences,
        save_last_seen=save_nothing,
        fetch_blocked=blocks.fetch,
        cache_seconds=60,
    )
    wire.connection.session.begin_catching_up()
    await wire.connection.go_live()
    tracker.start(lambda user_id: user_id == "bob", Supervisor())
    tracker.connections_changed("bob")
    asked = asyncio.ensure_future(ask(tracker, wire))
    await contacts.reading.wait()
    contacts.blocked.add(("ann", "bob"))
    blocks.changed("ann", "bob", True)
    tracker.hide([wire.connection], "bob")
    contacts.gate.set()
    states = await asked
    tracker.choose("bob", "away", "not for ann")

    assert contacts.reads == 2, "what was read before the block is not believed"
    assert [state.state for state in states or ()] == ["offline"] * len(states or ())
    assert await wire.sent() == []
    await tracker.stop()


@pytest.mark.parametrize("ask", [connect, show, look])
async def test_blocks_between_others_cause_no_second_read(ask: Ask) -> None:
    wire, contacts = Wire(), SlowContacts()
    blocks = Blocks(contacts.fetch_blocks)
    tracker = PresenceTracker(
        fetch_presences=fetch_no_presences, save_last_seen=save_nothing, fetch_blocked=blocks.fetch, cache_seconds=60
    )
    asked = asyncio.ensure_future(ask(tracker, wire))
    await contacts.reading.wait()
    blocks.changed("eve", "mallory", True)
    blocks.changed("eve", "mallory", False)
    contacts.gate.set()
    await asked
    assert contacts.reads == 1
    await tracker.stop()


async def test_a_status_text_set_while_away_does_not_change_last_seen() -> None:
    connected = {"bob"}
    tracker = PresenceTracker(
        fetch_presences=fetch_no_presences,
        save_last_seen=save_nothing,
        fetch_blocked=Blocks(FastContacts().fetch_blocks).fetch,
        cache_seconds=60,
    )
    tracker.start(connected.__contains__, Supervisor())
    tracker.connections_changed("bob")
    # Becoming invisible notes a ``last_seen`` at once, as going does after a while.
    tracker.choose("bob", "invisible", "")
    gone = (await tracker.state_for("ann", "bob")).last_seen
    connected.clear()
    tracker._left("bob")
    tracker.status_changed("bob", "away from home")
    state = await tracker.state_for("ann", "bob")
    assert (state.state, state.last_seen, state.status_text) == ("offline", gone, "away from home")
    await tracker.stop()


class FastContacts(Contacts):
    """No blocks at all."""

    async def fetch_blocks(self, _user_id: str) -> set[BlockPair]:
        return set()
