"""Choosing a presence on several devices at once: what is stored is what others see."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs

from chat_mvp.features.presence.service import PresenceService
from chat_mvp.protocol import ChosenPresence
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.arrivals import PresenceRecord
from chat_mvp.storage.records import UserRecord
from chat_mvp.storage.users import UserChanges, Users
from chat_mvp.times import utc_now

ANN = "ann"


class OneAccount(Users):
    """One account. The answers to changes come in the reverse of the order in which they were stored."""

    def __init__(self) -> None:
        self.stored = UserRecord(
            id=ANN,
            username=ANN,
            email="ann@example.org",
            email_verified=False,
            password_hash="",
            display_name="Ann",
            avatar_url=None,
            bio="",
            status_text="",
            role="member",
            profile_json="{}",
            settings_json="{}",
            presence="online",
            last_seen=None,
            created_at=utc_now(),
        )
        self._changes = 0

    async def update(self, user_id: str, changes: UserChanges) -> UserRecord:
        assert isinstance(changes.presence, str)
        self.stored = stored = structs.replace(self.stored, presence=changes.presence)
        self._changes += 1
        await asyncio.sleep(0.1 / self._changes)
        return stored


@pytest.mark.parametrize(
    "states", [("online", "invisible"), ("invisible", "online"), ("online", "away", "dnd", "invisible")]
)
async def test_the_last_choice_that_is_stored_is_the_one_that_others_see(states: tuple[ChosenPresence, ...]) -> None:
    users, tracker = OneAccount(), new_tracker()
    service = PresenceService(
        tracker=tracker,
        registry=Registry(lambda _: None),
        users=users,
        arrivals=cast("Any", None),
        conversations=cast("Any", None),
        on_hide=lambda _: None,
        on_show=shown,
    )
    asked_by = cast("Any", SimpleNamespace(id="phone", user_id=ANN))
    await asyncio.gather(*(service.choose(ANN, state, None, asked_by=asked_by) for state in states))
    assert users.stored.presence == states[-1]
    assert tracker.is_hidden(ANN) is (states[-1] == "invisible")


def new_tracker() -> PresenceTracker:
    return PresenceTracker(
        fetch_presences=no_presences, save_last_seen=save_nothing, fetch_blocked=no_blocks, cache_seconds=60
    )


async def shown(_: str) -> None:
    return None


async def no_presences(_: Collection[str]) -> dict[str, PresenceRecord]:
    return {}


async def no_blocks(_: str) -> frozenset[str]:
    return frozenset()


async def save_nothing(_: dict[str, datetime]) -> None:
    return None
