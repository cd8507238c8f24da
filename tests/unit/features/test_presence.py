"""Choosing a presence on several devices at once: what is stored is what others see."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec import structs, to_builtins

from chat_mvp.features.presence.service import PresenceService
from chat_mvp.features.users.schemas import ProfilePatch
from chat_mvp.features.users.service import UserService
from chat_mvp.protocol import ChosenPresence, Presence
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.arrivals import PresenceRecord
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.records import UserRecord
from chat_mvp.storage.users import UserChanges, Users
from chat_mvp.times import utc_now
from tests.unit.features.conftest import new_costly_work

ANN = "ann"
PHONE = cast("Any", SimpleNamespace(id="phone", user_id=ANN))


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
        self.stored = stored = structs.replace(self.stored, **cast("dict[str, Any]", to_builtins(changes)))
        self._changes += 1
        await asyncio.sleep(0.1 / self._changes)
        return stored


@pytest.mark.parametrize(
    "states", [("online", "invisible"), ("invisible", "online"), ("online", "away", "dnd", "invisible")]
)
async def test_the_last_choice_that_is_stored_is_the_one_that_others_see(states: tuple[ChosenPresence, ...]) -> None:
    users, tracker = OneAccount(), new_tracker()
    service = new_service(users, tracker)
    await asyncio.gather(*(service.choose(ANN, state, None, asked_by=PHONE) for state in states))
    assert users.stored.presence == states[-1]
    assert tracker.is_hidden(ANN) is (states[-1] == "invisible")


@pytest.mark.parametrize("is_profile_first", [True, False])
async def test_the_last_status_text_that_is_stored_is_the_one_that_others_see(is_profile_first: bool) -> None:
    users, shown_texts = OneAccount(), list[str]()
    presences = new_service(users, Texts(shown_texts))
    profiles = UserService(
        users=users,
        directory=UserDirectory(users),
        recorder=cast("Any", None),
        on_status_changed=lambda _, text: shown_texts.append(text),
        changing_status=presences.changing,
        costly_work=new_costly_work(),
    )
    changes = [
        profiles.change(ANN, ProfilePatch(status_text="from the profile")),
        presences.choose(ANN, "online", "from the presence", asked_by=PHONE),
    ]
    await asyncio.gather(*(changes if is_profile_first else reversed(changes)))
    assert shown_texts[-1] == users.stored.status_text


class Texts(PresenceTracker):
    """Notes the status texts that others are shown."""

    def __init__(self, shown_texts: list[str]) -> None:
        super().__init__(
            fetch_presences=no_presences, save_last_seen=save_nothing, fetch_blocked=no_blocks, cache_seconds=60
        )
        self._shown_texts = shown_texts

    def choose(self, user_id: str, state: ChosenPresence, status_text: str) -> Presence:
        self._shown_texts.append(status_text)
        return super().choose(user_id, state, status_text)


def new_service(users: Users, tracker: PresenceTracker) -> PresenceService:
    return PresenceService(
        tracker=tracker,
        registry=Registry(lambda _: None),
        users=users,
        arrivals=cast("Any", None),
        conversations=cast("Any", None),
        on_hide=lambda _: None,
        on_show=shown,
    )


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
