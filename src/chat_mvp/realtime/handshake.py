"""Decides, before a WebSocket is accepted, how frames are encoded."""

from collections.abc import Iterable
from typing import NamedTuple

from chat_mvp.codec import CODECS, JSON, Codec

Headers = Iterable[tuple[bytes, bytes]]


class Agreement(NamedTuple):
    """How frames are encoded, and the subprotocol to answer with, if the client offered one that the server knows."""

    codec: Codec
    subprotocol: str | None


def agree(offered: Iterable[str]) -> Agreement:
    """Return the first encoding that the client offers and the server supports, or JSON when there is none."""
    for subprotocol in offered:
        codec = CODECS.get(subprotocol)
        if codec is not None:
            return Agreement(codec, subprotocol)
    return Agreement(JSON, None)


def header(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header. ``name`` is in lower case."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None
