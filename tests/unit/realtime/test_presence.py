"""Who is told of whom, where a block comes between asking and knowing."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from typing import Any

import pytest

from chat_mvp.protocol import PresenceState
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.storage.arrivals import PresenceRecord
from tests.unit.realtime.wires import Wire

Ask = Callable[[PresenceTracker, Wire], Awaitable[Any]]


class Blocks:
    """The block lists; reading them waits until ``gate`` is opened and says what stood there before."""

    def __init__(self) -> None:
        self.blocked: set[str] = set()
        self.reading = asyncio.Event()
        self.gate = asyncio.Event()

    async def fetch(self, _user_id: str, others: Iterable[str]) -> set[str]:
        found = self.blocked & set(others)
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
    wire, blocks = Wire(), Blocks()
    tracker = PresenceTracker(
        fetch_presences=fetch_no_presences, save_last_seen=save_nothing, fetch_blocked=blocks.fetch, cache_seconds=60
    )
    wire.connection.session.begin_catching_up()
    await wire.connection.go_live()
    tracker.start(lambda user_id: user_id == "bob")
    tracker.connections_changed("bob")
    asked = asyncio.ensure_future(ask(tracker, wire))
    await blocks.reading.wait()
    blocks.blocked.add("bob")
    tracker.hide([wire.connection], "bob")
    blocks.gate.set()
    states = await asked
    tracker.choose("bob", "away", "not for ann")

    assert [state.state for state in states or ()] == ["offline"] * len(states or ())
    assert await wire.sent() == []
    await tracker.stop()
