"""Local delivery: which frames an event becomes, for whom, and what happens when something fails."""

from typing import Any, cast

import pytest

from chat_mvp.bench.messages import stored_message
from chat_mvp.delivery.batch import Answer, Outcome, Recorded
from chat_mvp.delivery.bus import MemoryBus, Publication
from chat_mvp.delivery.local import LocalDelivery
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.events.types import (
    ConversationDeleted,
    ConversationHidden,
    Event,
    MarksRaised,
    MemberChanged,
    MemberLeft,
    MessageAdded,
)
from chat_mvp.protocol import Member, Message, User

ROOM = "c" * 24


class FakeRosters:
    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def get(self, _: str) -> None:
        return None

    def forget(self, ids: list[str]) -> None:
        self.forgotten += ids


class FakeReceipts:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def tell(self, audience: tuple[str, ...], receipt: Any, *, answered_connection: str | None) -> None:
        self.told.append((audience, receipt.delivered_seq, answered_connection))

    def forget(self, user_ids: tuple[str, ...], conversation_id: str) -> None:
        self.told.append(("forget", user_ids, conversation_id))


class FakeReply:
    connection_id: str | None = "one"

    def __init__(self, *, fails: bool = False) -> None:
        self.results: list[Any] = []
        self._fails = fails

    def succeed(self, result: Any) -> None:
        self.results.append(result)
        if self._fails:
            raise RuntimeError("a caller that cannot be answered")

    def refuse(self, _: Any) -> None:
        raise AssertionError("nothing is refused here")


class Room:
    """Local delivery with everything around it."""

    def __init__(self) -> None:
        self.sent: list[Publication] = []
        self.rosters, self.receipts, self.events = FakeRosters(), FakeReceipts(), LocalEvents()
        bus = MemoryBus()
        bus.subscribe(self.sent.append)
        self.delivery = LocalDelivery(
            bus=bus,
            rosters=cast("Rosters", self.rosters),
            receipts=cast("Receipts", self.receipts),
            events=self.events,
        )

    def deliver(self, *outcomes: Outcome, late: bool = False) -> list[tuple[str, tuple[str, ...]]]:
        self.delivery.deliver(outcomes, callers_refused=late)
        return [(type(it.frame).__name__, it.audience) for it in self.sent]


def message(seq: int = 1) -> Message:
    return stored_message(conversation_id=ROOM, seq=seq, rev=seq, sender_id="ann")


def member() -> Member:
    person = User(id="bob", username="bob", display_name="Bob", avatar_url=None, bio="", created_at="")
    return Member(user=person, role="admin", joined_at="", delivered_seq=9, read_seq=8)


def test_a_former_member_is_sent_nothing_after_leaving() -> None:
    room = Room()
    left = MemberLeft(conversation_id=ROOM, actor_id="ann", user_id="bob")
    assert room.deliver(Recorded(left, ("ann", "cat"))) == [
        ("ConversationLeft", ("bob",)),
        ("MemberLeft", ("ann", "cat")),
    ]
    assert room.receipts.told == [("forget", ("bob",), ROOM)]


@pytest.mark.parametrize(
    ("event", "audience"),
    [
        (ConversationHidden(conversation_id=ROOM, user_id="bob"), ("bob",)),
        (ConversationDeleted(conversation_id=ROOM, actor_id="ann", member_ids=["ann", "bob"]), ("ann", "bob")),
    ],
)
def test_a_deleted_conversation(event: Event, audience: tuple[str, ...]) -> None:
    room = Room()
    assert room.deliver(Recorded(event, audience)) == [("ConversationLeft", audience)]
    assert room.receipts.told == [("forget", audience, ROOM)]


def test_marks_are_hidden_from_blocked_users() -> None:
    room = Room()
    changed = MemberChanged(conversation_id=ROOM, actor_id="ann", member=member(), joined_seq=2)
    sent = room.deliver(Recorded(changed, ("ann", "cat", "dan"), apart={"cat"}))
    assert sent == [("MemberUpdated", ("ann", "dan")), ("MemberUpdated", ("cat",))]
    marks = [cast("Any", it.frame).member.read_seq for it in room.sent]
    assert marks == [8, 2]


def test_marks_go_through_the_receipts() -> None:
    room = Room()
    marks = MarksRaised(conversation_id=ROOM, user_id="bob", delivered_seq=5, read_seq=4)
    assert room.deliver(Recorded(marks, ("ann", "bob"), answered_connection="one")) == []
    assert room.receipts.told == [(("ann", "bob"), 5, "one")]


@pytest.mark.parametrize("late", [False, True])
def test_callers_who_were_refused_get_the_event_and_no_answer(late: bool) -> None:
    room, reply = Room(), FakeReply()
    recorded = Recorded(MessageAdded(message=message()), ("ann",), answered_connection="one")
    room.deliver(recorded, Answer(reply, "done"), late=late)
    assert [it.answered_connection for it in room.sent] == [None if late else "one"]
    assert reply.results == ([] if late else ["done"])


def test_a_fault_keeps_nothing_from_the_others() -> None:
    room, broken, whole = Room(), FakeReply(fails=True), FakeReply()
    heard: list[int] = []

    def fail(_: MessageAdded) -> None:
        raise RuntimeError("a handler with a fault")

    room.events.on(MessageAdded, fail)
    room.events.on(MessageAdded, lambda event: heard.append(event.message.seq))
    added = [Recorded(MessageAdded(message=message(seq)), ("ann",)) for seq in (1, 2)]
    room.deliver(Answer(broken, 1), added[0], Answer(whole, 2), added[1])
    assert heard == [1, 2]
    assert whole.results == [2]
    assert len(room.sent) == 2
