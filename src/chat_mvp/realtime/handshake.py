"""What is decided before a WebSocket is accepted: where the page comes from, and how frames are encoded."""

from collections.abc import Collection, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from chat_mvp.codec import CODECS, JSON, Codec

Headers = Iterable[tuple[bytes, bytes]]

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Agreement(NamedTuple):
    """How frames are encoded, and the subprotocol to answer with, if the client offered one we know."""

    codec: Codec
    subprotocol: str | None


def agree(offered: Iterable[str]) -> Agreement:
    """Return the first encoding that the client offers and we have; JSON when it offers none of ours."""
    for subprotocol in offered:
        codec = CODECS.get(subprotocol)
        if codec is not None:
            return Agreement(codec, subprotocol)
    return Agreement(JSON, None)


def header(headers: Headers, name: bytes) -> str | None:
    """Return the value of a header, which names in lower case."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return None


def is_allowed_origin(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Tell whether a page from ``origin`` may connect: our own, one that was allowed, or no page at all.

    Only browsers send ``Origin``, and only they carry somebody's cookies along; other clients need their token anyway.
    """
    if origin is None or origin in allowed:
        return True
    try:
        page = urlsplit(origin)
        return (
            page.scheme in _DEFAULT_PORTS
            and host is not None
            and _place(page.scheme, page.netloc) == _place(page.scheme, host)
        )
    except ValueError:
        # One of the two is no address at all.
        return False


def _place(scheme: str, netloc: str) -> tuple[str, int]:
    parts = urlsplit(f"//{netloc}")
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS[scheme]
