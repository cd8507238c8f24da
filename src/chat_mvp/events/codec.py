"""Events as text: one JSON array for all events of a transaction."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from chat_mvp.events.types import AnyEvent, Event

_ENCODER = msgspec.json.Encoder()
_SPLITTER = msgspec.json.Decoder(list[msgspec.Raw])
_DECODER = msgspec.json.Decoder(AnyEvent)


class Decoded(NamedTuple):
    """The events of a text, and the parts of it that this version does not understand, as they are."""

    events: list[Event]
    unknown: list[str]


class EncodedEvent(NamedTuple):
    """An event as text, with its type."""

    type: str
    text: str
    size: int
    """The length of the text in UTF-8."""


def encode_event(event: Event) -> EncodedEvent:
    """Return the event as it is now; later changes of what it holds do not matter."""
    encoded = _ENCODER.encode(event)
    return EncodedEvent(type_of(event), encoded.decode(), len(encoded))


def join_events(events: Iterable[EncodedEvent]) -> str:
    """Return the events as one JSON array."""
    return f"[{','.join(event.text for event in events)}]"


def encode_events(events: Iterable[Event]) -> str:
    """Return the events as one JSON array."""
    return join_events(map(encode_event, events))


def decode_events(text: str) -> Decoded:
    """Return the events of a JSON array. A type that a newer version wrote, or a damaged event, is not an error.

    ``ValueError`` when ``text`` is not a JSON array.
    """
    decoded = Decoded([], [])
    for part in _SPLITTER.decode(text):
        try:
            decoded.events.append(_DECODER.decode(part))
        except msgspec.ValidationError:
            decoded.unknown.append(bytes(part).decode())
    return decoded


def type_of(event: Event | type[Event]) -> str:
    """Return the ``type`` under which events like this are stored."""
    kind = event if isinstance(event, type) else type(event)
    return str(kind.__struct_config__.tag)
