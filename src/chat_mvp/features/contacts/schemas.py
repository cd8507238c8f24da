"""Bodies of the contact routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import MAX_NICKNAME_CHARS


class ContactBody(Struct, kw_only=True):
    """How to call somebody: a nickname left out stays what it is, null takes it away."""

    nickname: Annotated[str, Meta(max_length=MAX_NICKNAME_CHARS)] | UnsetType | None = UNSET
