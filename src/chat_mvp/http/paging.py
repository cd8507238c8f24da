"""Lists in pages: the request has ``?limit=`` and ``?cursor=``, the answer is ``{"items": […], "next": …}``."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

from chat_mvp.errors import ValidationError
from chat_mvp.http.params import is_id
from chat_mvp.limits import MAX_CURSOR_CHARS, MAX_LIMIT

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="The maximum number of items in a page")]
"""Type of a handler's ``limit: Limit = DEFAULT_LIMIT``."""
Cursor = Annotated[
    str | None, QueryParameter(max_length=MAX_CURSOR_CHARS, description="The `next` of the previous page")
]
"""Type of a handler's ``cursor: Cursor = None``."""

_Item = TypeVar("_Item")
_Position = TypeVar("_Position")


class Page(msgspec.Struct, Generic[_Item], kw_only=True):
    """Some items in order. ``next`` is the cursor of the next page, or null on the last page."""

    items: list[_Item]
    next: str | None


def encode_cursor(position: object) -> str:
    """Return the opaque form of a position in a list: any value that ``msgspec`` can encode as JSON."""
    return urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, position_type: type[_Position]) -> _Position | None:
    """Return the position in a cursor, or ``None`` without one.

    ``ValidationError`` for a cursor that the server never made.
    """
    if cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=position_type)
    except (ValueError, msgspec.DecodeError):
        raise _unknown_cursor() from None


def decode_id_cursor(cursor: str | None) -> str | None:
    """Return the id in a cursor. Otherwise like ``decode_cursor``."""
    position = decode_cursor(cursor, str)
    if position is not None and not is_id(position):
        raise _unknown_cursor()
    return position


def _unknown_cursor() -> ValidationError:
    return ValidationError("cursor is not valid. Use the next of an earlier page.", fields={"cursor": "is not valid"})
