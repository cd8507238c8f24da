"""Events as text: every type comes back as it was, and what is unknown is kept apart."""

from typing import get_args

import msgspec
import pytest

from chat_mvp.events.codec import decode_events, encode_events, type_of
from chat_mvp.events.types import AnyEvent, Event, MarksRaised, SessionEnded


def test_every_event_is_in_the_union() -> None:
    assert set(get_args(AnyEvent)) == set(Event.__subclasses__())


@pytest.mark.parametrize(
    "event",
    [
        SessionEnded(session_id="5" * 24, user_id="6" * 24),
        MarksRaised(conversation_id="a" * 24, user_id="b" * 24, delivered_seq=3, read_seq=2, withheld=True),
    ],
    ids=type_of,
)
def test_events_come_back_as_they_were(event: Event) -> None:
    assert decode_events(encode_events([event, event])).events == [event, event]


@pytest.mark.parametrize("part", ['{"type":"from.the.future","x":1}', '{"type":"session.ended"}', "7", "null", "{}"])
def test_what_is_not_understood_is_kept_apart(part: str) -> None:
    known = encode_events([SessionEnded(session_id="5" * 24, user_id="6" * 24)])[1:-1]
    decoded = decode_events(f"[{known},{part},{known}]")
    assert len(decoded.events) == 2
    assert decoded.unknown == [part]


def test_a_newer_field_is_no_obstacle() -> None:
    event = SessionEnded(session_id="5" * 24, user_id="6" * 24)
    text = encode_events([event]).replace("}", ',"address":"::1"}')
    assert decode_events(text).events == [event]


@pytest.mark.parametrize("text", ["", "{}", "[", "nonsense"])
def test_what_is_no_array_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        decode_events(text)
