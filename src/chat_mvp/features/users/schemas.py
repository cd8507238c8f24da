"""Bodies of the user routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import MAX_BIO_CHARS, MAX_DISPLAY_NAME_CHARS, MAX_OBJECT_BYTES, MAX_STATUS_CHARS

_OBJECT = Meta(description=f"Any JSON object of at most {MAX_OBJECT_BYTES} bytes; replaces the one before")


def _limited(limit: int) -> Meta:
    # For readers only: the service checks it, and tells of every field at once.
    return Meta(extra_json_schema={"maxLength": limit})


class ProfilePatch(Struct, kw_only=True):
    """What to change of the own account; what is left out stays."""

    display_name: Annotated[str, _limited(MAX_DISPLAY_NAME_CHARS)] | UnsetType = UNSET
    bio: Annotated[str, _limited(MAX_BIO_CHARS)] | UnsetType = UNSET
    status_text: Annotated[str, _limited(MAX_STATUS_CHARS)] | UnsetType = UNSET
    profile: Annotated[dict[str, object], _OBJECT] | UnsetType = UNSET
    settings: Annotated[dict[str, object], _OBJECT] | UnsetType = UNSET
