"""Bodies of the user routes."""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chat_mvp.limits import (
    MAX_BIO_CHARS,
    MAX_DISPLAY_NAME_CHARS,
    MAX_OBJECT_BYTES,
    MAX_OBJECT_DEPTH,
    MAX_STATUS_CHARS,
)

_SHORTEST_ENTRY_BYTES = len('"":0,')
_OBJECT = Meta(
    description=f"Any JSON object of at most {MAX_OBJECT_BYTES} bytes and {MAX_OBJECT_DEPTH} levels; "
    "replaces the one before",
    extra_json_schema={
        "type": "object",
        "additionalProperties": True,
        "maxProperties": MAX_OBJECT_BYTES // _SHORTEST_ENTRY_BYTES,
    },
)


class ProfilePatch(Struct, kw_only=True):
    """Changes to the caller's account. A field that is left out stays as it is."""

    display_name: Annotated[str, Meta(max_length=MAX_DISPLAY_NAME_CHARS)] | UnsetType = UNSET
    bio: Annotated[str, Meta(max_length=MAX_BIO_CHARS)] | UnsetType = UNSET
    status_text: Annotated[str, Meta(max_length=MAX_STATUS_CHARS)] | UnsetType = UNSET
    # These are decoded after their length is checked.
    profile: Annotated[Raw, _OBJECT] | UnsetType = UNSET
    settings: Annotated[Raw, _OBJECT] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Remove the spaces around the name."""
        if self.display_name is not UNSET:
            self.display_name = self.display_name.strip()
