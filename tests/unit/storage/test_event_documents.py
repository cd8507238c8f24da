"""The document of a transaction's events."""

from datetime import UTC, datetime

from chat_mvp.events.codec import decode_events
from chat_mvp.events.types import BlockChanged, SessionEnded
from chat_mvp.storage.events import event_document

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ENDED = SessionEnded(session_id="d" * 24, user_id="a" * 24)
BLOCKED = BlockChanged(owner_id="a" * 24, other_id="b" * 24, blocked=True)


def test_it_has_all_events_in_their_order_and_each_type_once() -> None:
    document = event_document([ENDED, BLOCKED, ENDED], now=NOW, process="p" * 24)
    assert decode_events(document.pop("body")).events == [ENDED, BLOCKED, ENDED]
    assert document.pop("_id") is not None
    assert document == {"at": NOW, "process": "p" * 24, "types": ["block.changed", "session.ended"]}


def test_each_document_has_an_id_of_its_own() -> None:
    one, other = (event_document([ENDED], now=NOW, process="p")["_id"] for _ in range(2))
    assert one != other
