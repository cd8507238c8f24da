"""Bodies of the conversation routes."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chat_mvp.limits import (
    MAX_CONVERSATION_NAME_CHARS,
    MAX_DESCRIPTION_CHARS,
    MAX_DRAFT_CHARS,
    MAX_FIRST_MEMBERS,
    MAX_MEMBERS,
    MAX_SEQ,
    MAX_TIME_CHARS,
    MAX_URL_CHARS,
)
from chat_mvp.protocol import ConversationKind, ConversationSettings, Id, Notify, Role, Visibility

Name = Annotated[str, Meta(min_length=1, max_length=MAX_CONVERSATION_NAME_CHARS)]
Description = Annotated[str, Meta(max_length=MAX_DESCRIPTION_CHARS)]
Participants = Annotated[int, Meta(ge=1, le=MAX_MEMBERS)]
Url = Annotated[
    str,
    Meta(max_length=MAX_URL_CHARS, description="An address on the web, or a path on this server that begins with `/`"),
]
Moment = Annotated[str, Meta(max_length=MAX_TIME_CHARS, description="An RFC 3339 time with an offset")]


class NewConversation(Struct, kw_only=True):
    """A new conversation: a direct one needs ``user_id``, a group or channel needs ``name`` and may have members."""

    kind: ConversationKind
    user_id: Id | None = None
    name: Name | None = None
    description: Description = ""
    visibility: Visibility | None = None
    member_ids: Annotated[list[Id], Meta(max_length=MAX_FIRST_MEMBERS)] = []
    max_participants: Participants | None = None
    settings: ConversationSettings | None = None

    def __post_init__(self) -> None:
        """Remove the spaces around the name."""
        if self.name is not None:
            self.name = self.name.strip()


class ConversationSettingsChanges(Struct, kw_only=True):
    """Settings that an admin changes. A field that is left out stays as it is."""

    post: Literal["members", "admins"] | UnsetType = UNSET


class ConversationChanges(Struct, kw_only=True):
    """The changes of an admin to a conversation. A field that is left out stays as it is."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    avatar_url: Url | UnsetType | None = UNSET
    max_participants: Participants | UnsetType | None = UNSET
    settings: ConversationSettingsChanges | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Remove the spaces around the name."""
        if self.name is not UNSET:
            self.name = self.name.strip()


class OwnChanges(Struct, kw_only=True):
    """The changes of a user to their own membership. A field that is left out stays as it is."""

    muted_until: Moment | UnsetType | None = UNSET
    pinned: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    draft: Annotated[str, Meta(max_length=MAX_DRAFT_CHARS)] | UnsetType = UNSET
    notify: Notify | UnsetType = UNSET
    unread_from: Annotated[int, Meta(ge=1, le=MAX_SEQ)] | UnsetType | None = UNSET


class NewMember(Struct, kw_only=True):
    """The role of the added member."""

    role: Role = "member"


class MemberChanges(Struct, kw_only=True):
    """The new role of a member."""

    role: Role
