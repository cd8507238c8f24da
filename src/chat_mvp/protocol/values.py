"""Value types: ids, times, marks and enumerated values."""

from typing import Annotated, Literal

from msgspec import Meta

from chat_mvp.limits import (
    MAX_CLIENT_MESSAGE_ID_CHARS,
    MAX_EMOJI_CHARS,
    MAX_REF,
    MAX_REF_CHARS,
    MAX_TEXT_CHARS,
    MAX_TOKEN_CHARS,
)

# The length is given separately, because "$" also matches before a line break at the end.
Id = Annotated[
    str,
    Meta(pattern="^[0-9a-f]{24}$", min_length=24, max_length=24, description="24 hexadecimal digits"),
]
Time = Annotated[str, Meta(description="RFC 3339 in UTC with milliseconds", examples=["2026-11-21T10:00:00.123Z"])]
Ref = Annotated[str, Meta(max_length=MAX_REF_CHARS)] | Annotated[int, Meta(ge=-MAX_REF, le=MAX_REF)]
ClientMessageId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_MESSAGE_ID_CHARS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
"""The text of a message, as a client sends it."""
Token = Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)]
"""An access or refresh token, as a client sends it."""
Mark = Annotated[int, Meta(ge=0, le=2**53)]
Emoji = Annotated[str, Meta(min_length=1, max_length=MAX_EMOJI_CHARS)]

ConversationKind = Literal["direct", "group", "channel"]
Visibility = Literal["public", "private"]
Role = Literal["owner", "admin", "member"]
Priority = Literal["normal", "high"]
MessageKind = Literal["text", "system"]
Notify = Literal["all", "mentions", "none"]
ChosenPresence = Literal["online", "away", "dnd", "invisible"]
ShownPresence = Literal["online", "away", "dnd", "offline"]
AckStatus = Literal["sent", "queued"]
ReceiptState = Literal["queued", "delivered", "read"]
