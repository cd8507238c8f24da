"""Typing is forwarded when it changes, not with every frame."""

from types import SimpleNamespace
from typing import cast

import pytest

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus, Publication
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.features.typing.service import TypingService
from chat_mvp.limits import MAX_TYPING_MEMBERS
from chat_mvp.protocol import Typing
from chat_mvp.storage.contacts import BlockPair


async def _no_blocks(_user_id: str) -> set[BlockPair]:
    return set()


class Room:
    """One conversation; ``sent`` are the states that the other members got."""

    def __init__(self, members: int = 2) -> None:
        self.now = 1_000.0
        self.sent: list[str] = []
        people = {f"person {number}": SimpleNamespace(visible=True) for number in range(members)}
        roster = SimpleNamespace(members=people, member=people.get, blocked=False, everybody=lambda: tuple(people))

        async def fetch(_: str) -> object:
            return roster

        bus = MemoryBus()
        bus.subscribe(self._note)
        rosters = cast("Rosters", SimpleNamespace(fetch=fetch, get=lambda _: roster))
        self.service = TypingService(
            bus.signal, rosters, Blocks(_no_blocks), is_hidden=lambda _: False, clock=lambda: self.now
        )

    async def say(self, state: str) -> None:
        await self.service.set("person 0", "room", state, connection_id="one")  # type: ignore[arg-type]

    def _note(self, publication: Publication) -> None:
        assert isinstance(publication.frame, Typing)
        self.sent.append(publication.frame.state)


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_thousand_starts_are_one_frame(room: Room) -> None:
    for _ in range(1_000):
        await room.say("start")
    await room.say("stop")
    assert room.sent == ["start", "stop"]
    room.service.close()


async def test_a_start_that_is_repeated_for_long_is_passed_on_now_and_then(room: Room) -> None:
    for _ in range(120):
        await room.say("start")
        room.now += 0.1
    assert room.sent == ["start"] * 4, "every 3 s of 12"
    room.service.close()


async def test_a_stop_without_a_start_is_nothing(room: Room) -> None:
    for _ in range(10):
        await room.say("stop")
    assert room.sent == []


@pytest.mark.parametrize(("members", "sent"), [(MAX_TYPING_MEMBERS, ["start"]), (MAX_TYPING_MEMBERS + 1, [])])
async def test_typing_is_not_passed_on_in_large_conversations(members: int, sent: list[str]) -> None:
    room = Room(members)
    await room.say("start")
    assert room.sent == sent
    room.service.close()
