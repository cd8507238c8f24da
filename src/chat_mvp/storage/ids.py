"""Ids: ObjectIds in the database, 24 lower-case hexadecimal digits everywhere else."""

from functools import lru_cache

from bson import ObjectId
from bson.errors import InvalidId

from chat_mvp.errors import NotFoundError


def new_id() -> str:
    """Return a new id.

    Ids made by one process ascend in the order in which they were made, with a resolution of a second.
    """
    return str(ObjectId())


@lru_cache(maxsize=65_536)
def known_object_id(value: str) -> ObjectId:
    """Return the database's form of a valid id. Cached, for users and conversations, whose ids occur often."""
    return ObjectId(value)


def to_object_id(value: str) -> ObjectId:
    """Return the database's form of an id. ``NotFoundError`` for an invalid id, because nothing can have it."""
    try:
        return ObjectId(value)
    except InvalidId:
        raise NotFoundError("There is nothing with this id.") from None
