"""Bodies of the contact routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import MAX_NICKNAME_CHARS


class ContactBody(Struct, kw_only=True):
    """The nickname of a contact. If it is left out, it stays as it is; null removes it."""

    nickname: Annotated[str, Meta(max_length=MAX_NICKNAME_CHARS)] | UnsetType | None = UNSET

    def __post_init__(self) -> None:
        """Remove the spaces around the nickname."""
        if isinstance(self.nickname, str):
            self.nickname = self.nickname.strip()
