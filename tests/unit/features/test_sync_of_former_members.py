"""A member who is removed while ``/messages/sync`` reads gets no messages from after the removal."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Struct

from chat_mvp.features.messages.sync import MessageSync
from chat_mvp.security.fair_semaphore import FairSemaphore

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


class Membership(Struct):
    """One person in one conversation."""

    conversation_id: str
    joined_seq: int
    joined_at: datetime = NOW


class Line(Struct):
    """What is looked at of a message."""

    conversation_id: str
    seq: int


class Record(Struct):
    """A stored message."""

    message: Line


class Storage:
    """Two conversations; what happens to the memberships while messages are read is ``after``."""

    def __init__(self, after: dict[str, Membership]) -> None:
        self._memberships = {name: Membership(name, 0) for name in ("a", "b")}
        self._after = after

    async def fetch_memberships_from(self, *_: Any, **__: Any) -> dict[str, Membership]:
        return dict(self._memberships)

    async def fetch_memberships(self, _: str, ids: Any) -> dict[str, Membership]:
        return {name: self._memberships[name] for name in ids if name in self._memberships}

    async def fetch_changed_since(self, key: Any, *_: Any, **__: Any) -> list[Any]:
        if isinstance(key, dict):
            return list(key)
        self._memberships = self._after
        return [Record(Line(key, 3)), Record(Line(key, 2))]


class Writer:
    """Answers every operation with the moment."""

    def submit(self, operation: Any) -> None:
        operation.reply.succeed(NOW)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": Membership("a", 0), "b": Membership("b", 0)}, [("a", 3), ("a", 2), ("b", 3), ("b", 2)]),
        ({"a": Membership("a", 0)}, [("a", 3), ("a", 2)]),
        ({"a": Membership("a", 0), "b": Membership("b", 2)}, [("a", 3), ("a", 2), ("b", 3)]),
        ({}, []),
    ],
    ids=["stays", "removed", "removed and back", "removed everywhere"],
)
async def test_removed_while_reading(after: dict[str, Membership], expected: list[tuple[str, int]]) -> None:
    storage: Any = Storage(after)
    writer: Any = Writer()
    costly_work = FairSemaphore(at_once=1, at_once_each=1, max_waiting=1, busy="Too busy.", retry_after_ms=1_000)
    sync = MessageSync(writer=writer, messages=storage, conversations=storage, costly_work=costly_work)
    page = await sync.fetch("ada", NOW, start=None, limit=50)
    assert [(message.conversation_id, message.seq) for message in page.messages] == expected
    assert page.next is None
