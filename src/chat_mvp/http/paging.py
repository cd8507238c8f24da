"""Lists in pages: ``?limit=`` and ``?cursor=`` in, ``{"items": […], "next": …}`` out."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from chat_mvp.errors import ValidationError
from chat_mvp.http.params import is_id
from chat_mvp.limits import MAX_CURSOR_CHARS, MAX_LIMIT

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="Items in a page, at most")]
"""Type of a handler's ``limit: Limit = DEFAULT_LIMIT``."""
Cursor = Annotated[str | None, QueryParameter(max_length=MAX_CURSOR_CHARS, description="The `next` of the page before")]
"""Type of a handler's ``cursor: Cursor = None``."""

_Item = TypeVar("_Item")
_Place = TypeVar("_Place")


class Page(msgspec.Struct, Generic[_Item], kw_only=True):
    """Some items in order; ``next`` is the cursor of the page behind them, none at the end."""

    items: list[_Item]
    next: str | None


def encode_cursor(place: object) -> str:
    """Return the opaque form of a place in a list: anything that ``msgspec`` writes as JSON."""
    return urlsafe_b64encode(msgspec.json.encode(place)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, place_type: type[_Place]) -> _Place | None:
    """Return the place that a cursor names, ``None`` for none; ``ValidationError`` for what we never gave out."""
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=place_type)
    except (ValueError, msgspec.DecodeError):
        raise _unknown_cursor() from None


def decode_id_cursor(cursor: str | None) -> str | None:
    """Return the id that a cursor names; otherwise as ``decode_cursor``."""
    place = decode_cursor(cursor, str)
    if place is not None and not is_id(place):
        raise _unknown_cursor()
    return place


def _unknown_cursor() -> ValidationError:
    return ValidationError("cursor is not one of ours.", fields={"cursor": "is not one of ours"})
