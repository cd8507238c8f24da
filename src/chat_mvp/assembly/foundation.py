"""What every other part stands on: the clock, the collections of the database, and the limits."""

from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from chat_mvp.clock import Clock
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.limits import (
    MAX_COSTLY_AT_ONCE,
    MAX_COSTLY_AT_ONCE_EACH,
    MAX_COSTLY_WAITING,
    MAX_PAGES_AT_ONCE,
    MAX_PAGES_AT_ONCE_EACH,
    MAX_PAGES_WAITING,
    MIN_TEXT_BURST_BYTES,
    TEXT_BURST_BYTES_PER_SEND,
    TEXT_BYTES_PER_SEND,
)
from chat_mvp.ops.disk import CheckRoom, DiskRoom
from chat_mvp.ops.timekeeping import Timekeeper
from chat_mvp.security.budgets import BUDGETS, Budget, RateLimits
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.settings import Settings
from chat_mvp.storage.arrivals import Arrivals
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.client import Database
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.recent import RecentMessages
from chat_mvp.storage.recorded import MongoRecorder
from chat_mvp.storage.users import Users
from chat_mvp.times import utc_now


@dataclass(frozen=True)
class Foundation:
    """The parts. ``disk`` is the directory of the embedded database, ``None`` for a database elsewhere.

    ``process`` names this process in the database.
    """

    process: str
    settings: Settings
    database: Database
    clock: Clock
    timekeeper: Timekeeper
    local_events: LocalEvents
    recorder: MongoRecorder
    users: Users
    directory: UserDirectory
    contacts: Contacts
    auth_sessions: AuthSessions
    conversations: Conversations
    messages: Messages
    recent_messages: RecentMessages
    arrivals: Arrivals
    has_limits: bool
    rate_limits: RateLimits
    costly_work: FairSemaphore
    page_reads: FairSemaphore
    disk: Path | None
    check_room: CheckRoom


def build_foundation(settings: Settings, database: Database) -> Foundation:
    """Build the parts on an open database."""
    clock = Clock(utc_now())
    process, local_events = new_id(), LocalEvents()
    users = Users()
    has_limits = settings.rate_limits == "on"
    disk = settings.data_dir if settings.mongo_uri is None else None
    return Foundation(
        process=process,
        settings=settings,
        database=database,
        clock=clock,
        timekeeper=Timekeeper(clock, database.fetch_time),
        local_events=local_events,
        recorder=MongoRecorder(database, process=process, clock=clock, committed=local_events.applied),
        users=users,
        directory=UserDirectory(users),
        contacts=Contacts(),
        auth_sessions=AuthSessions(clock),
        conversations=Conversations(database.collections),
        messages=Messages(database.collections),
        recent_messages=RecentMessages(database.collections),
        arrivals=Arrivals(database.collections, clock),
        has_limits=has_limits,
        rate_limits=RateLimits({**BUDGETS, **budgets_of_sends(settings)}, enabled=has_limits),
        costly_work=_semaphore(MAX_COSTLY_AT_ONCE, MAX_COSTLY_AT_ONCE_EACH, MAX_COSTLY_WAITING),
        page_reads=_semaphore(MAX_PAGES_AT_ONCE, MAX_PAGES_AT_ONCE_EACH, MAX_PAGES_WAITING),
        disk=disk,
        check_room=DiskRoom(disk).check,
    )


def _semaphore(at_once: int, at_once_each: int, max_waiting: int) -> FairSemaphore:
    return FairSemaphore(
        at_once=at_once,
        at_once_each=at_once_each,
        max_waiting=max_waiting,
        busy="The server is busy. Try again in a moment.",
        retry_after_ms=1_000,
    )


def budgets_of_sends(settings: Settings) -> dict[str, Budget]:
    """Return the budgets that the settings for sends change: the number of messages, and the bytes of their texts."""
    rate_per_s, burst = settings.rate_limit_sends_per_s, settings.rate_limit_send_burst
    text_burst = max(TEXT_BURST_BYTES_PER_SEND * burst, MIN_TEXT_BURST_BYTES)
    return {
        "message": structs.replace(BUDGETS["message"], burst=burst, rate_per_s=rate_per_s),
        "text": structs.replace(BUDGETS["text"], burst=text_burst, rate_per_s=TEXT_BYTES_PER_SEND * rate_per_s),
    }
