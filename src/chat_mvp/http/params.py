"""Ids and texts in a URL."""

import re
from typing import Annotated

from litestar.params import PathParameter

from chat_mvp.errors import NotFoundError, ValidationError

_ID = re.compile(r"[0-9a-f]{24}")

ID_CHARS = 24

PathId = Annotated[
    str,
    PathParameter(max_length=ID_CHARS, description="24 hexadecimal digits", schema_extra={"pattern": "^[0-9a-f]{24}$"}),
]
"""An id in a path. Handlers pass it through ``path_id`` first."""


def is_id(value: str) -> bool:
    """Return whether a text has the form of an id."""
    return _ID.fullmatch(value) is not None


def path_id(value: str) -> str:
    """Return the id. ``NotFoundError`` for an invalid id, because nothing can have it."""
    if not is_id(value):
        raise NotFoundError("There is nothing with this id.")
    return value


def query_id(name: str, value: str | None) -> str | None:
    """Return the id, or ``None`` if there is none. ``ValidationError`` for an invalid id."""
    if value is not None and not is_id(value):
        raise ValidationError(f"{name} is not an id.", fields={name: "is not an id"})
    return value
