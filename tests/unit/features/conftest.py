"""Services over a database in memory: for everything that needs no transaction and no TTL."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest
from argon2 import PasswordHasher
from beanie import init_beanie
from mongomock_motor import AsyncMongoMockClient

from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.events.types import Event
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.security.password_strength import PasswordStrength
from chat_mvp.security.passwords import Passwords
from chat_mvp.storage.documents import AuthSessionDocument, ContactDocument, UserDocument
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.recorded import RecordedTransaction, Write
from chat_mvp.storage.records import UserRecord
from chat_mvp.storage.users import Users
from chat_mvp.times import utc_now

T = TypeVar("T")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class MemoryRecorder:
    """Runs writes on a database without transactions, and keeps what they recorded."""

    def __init__(self, collections: Any) -> None:
        self._collections = collections
        self.local_events = LocalEvents()
        self.recorded: list[Event] = []
        self.applied: list[Event] = []

    async def record(self, subject: str, write: Write[T]) -> T:
        transaction = RecordedTransaction(self._collections, None)
        result = await write(transaction)
        self.recorded += transaction.recorded
        self.applied += transaction.to_apply
        await self.local_events.applied(transaction.to_apply)
        return result


@pytest.fixture(autouse=True)
async def recorder() -> MemoryRecorder:
    database = AsyncMongoMockClient(tz_aware=True)["chat"]
    await init_beanie(database, document_models=[UserDocument, AuthSessionDocument, ContactDocument])
    return MemoryRecorder(database)


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(hasher=CHEAP)
    yield passwords
    passwords.close()


@pytest.fixture
async def strength() -> AsyncIterator[PasswordStrength]:
    strength = PasswordStrength()
    yield strength
    strength.close()


@pytest.fixture
def users() -> Users:
    return Users()


def new_costly_work() -> FairSemaphore:
    """Return a semaphore that lets a few work at once."""
    return FairSemaphore(at_once=8, at_once_each=2, max_waiting=100, busy="Too busy.", retry_after_ms=1_000)


async def make_user(users: Users, username: str, display_name: str | None = None) -> str:
    record = UserRecord(
        id=new_id(),
        username=username,
        email=f"{username}@example.org",
        email_verified=False,
        password_hash="",
        display_name=display_name or username,
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
    await users.insert(record)
    return record.id
