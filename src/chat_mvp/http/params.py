"""Ids and numbers in a URL."""

import re
from typing import Annotated, Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import PathParameter

from chat_mvp.errors import NotFoundError, ValidationError

_ID = re.compile(r"[0-9a-f]{24}")
_INTEGER = re.compile(r"-?[0-9]+")
_INTEGER_TYPES = (int, int | None)

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


async def integer_guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Refuse integers such as ``1e3`` in a query. Litestar would accept them, unlike in bodies and frames.

    It is a guard of Litestar. ``ValidationError`` names the parameter.
    """
    query = connection.query_params
    if not query:
        return
    for name, field in handler.parsed_fn_signature.parameters.items():
        if field.annotation in _INTEGER_TYPES and not all(map(_INTEGER.fullmatch, query.getall(name, []))):
            detail = "must be a whole number"
            raise ValidationError(f"{name} {detail}.", fields={name: detail})
