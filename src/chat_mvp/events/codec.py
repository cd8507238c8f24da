"""Events as text: one JSON array for all events of a transaction."""

from collections.abc import Sequence
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


def encode_events(events: Sequence[Event]) -> str:
    """Return the events as one JSON array."""
    return _ENCODER.encode(events).decode()


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
