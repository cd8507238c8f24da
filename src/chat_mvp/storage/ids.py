"""Ids: ObjectIds in the database, 24 lower-case hexadecimal digits everywhere else."""

from functools import lru_cache

from bson import ObjectId
from bson.errors import InvalidId

from chat_mvp.errors import NotFoundError


def new_id() -> str:
    """Return a fresh id. Ids made by one process ascend in the order they were made, to the second."""
    return str(ObjectId())


@lru_cache(maxsize=65_536)
def known_object_id(value: str) -> ObjectId:
    """Return the database's form of an id that is one. For people and conversations, which come again and again."""
    return ObjectId(value)


def to_object_id(value: str) -> ObjectId:
    """Return the database's form of an id; ``NotFoundError`` for what is none, since nothing can have it."""
    try:
        return ObjectId(value)
    except InvalidId:
        raise NotFoundError("There is nothing with this id.") from None
