"""Every frame that a client sends."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from chat_mvp.limits import (
    MAX_ATTACHMENTS,
    MAX_DEVICE_ID_CHARS,
    MAX_EPOCH_CHARS,
    MAX_KNOWN,
    MAX_STATUS_CHARS,
    MAX_SUBSCRIBED_PRESENCES,
)
from chat_mvp.protocol.values import ChosenPresence, ClientMessageId, Emoji, Id, Mark, Priority, Ref, Text, Token


class ClientFrame(Struct, kw_only=True, tag_field="type"):
    """What every frame from a client may carry: a reference that its answer repeats."""

    ref: Ref | None = None


class Connect(ClientFrame, tag="connect", kw_only=True):
    """The first frame: who is there, and what they already have."""

    token: Token | None = None
    device_id: Annotated[str, Meta(max_length=MAX_DEVICE_ID_CHARS)] | None = None
    known: Annotated[dict[Id, Mark], Meta(max_length=MAX_KNOWN)] | None = None
    epoch: Annotated[str, Meta(max_length=MAX_EPOCH_CHARS)] | None = None


class MessageSend(ClientFrame, tag="message.send", kw_only=True):
    """A new message, to a conversation or (``to``) to a person directly."""

    client_message_id: ClientMessageId
    conversation_id: Id | None = None
    to: Id | None = None
    text: Text = ""
    attachments: Annotated[list[Id], Meta(max_length=MAX_ATTACHMENTS)] = []
    reply_to: Id | None = None
    thread_root: Id | None = None
    priority: Priority = "normal"


class MessageEdit(ClientFrame, tag="message.edit", kw_only=True):
    """Another text for an own message."""

    message_id: Id
    text: Text


class MessageDelete(ClientFrame, tag="message.delete", kw_only=True):
    """Take the content of a message away; its place stays."""

    message_id: Id


class ReactionAdd(ClientFrame, tag="reaction.add", kw_only=True):
    """Set one's own reaction."""

    message_id: Id
    emoji: Emoji


class ReactionRemove(ClientFrame, tag="reaction.remove", kw_only=True):
    """Take one's own reaction back."""

    message_id: Id
    emoji: Emoji


class Delivered(ClientFrame, tag="delivered", kw_only=True):
    """This device has everything up to ``seq``."""

    conversation_id: Id
    seq: Mark


class Read(ClientFrame, tag="read", kw_only=True):
    """The person has seen everything up to ``seq``."""

    conversation_id: Id
    seq: Mark


class TypingSet(ClientFrame, tag="typing", kw_only=True):
    """The person began or stopped writing."""

    conversation_id: Id
    state: Literal["start", "stop"]


class PresenceSet(ClientFrame, tag="presence.set", kw_only=True):
    """How the person wants to be seen."""

    state: ChosenPresence
    status_text: Annotated[str, Meta(max_length=MAX_STATUS_CHARS)] | None = None


class PresenceSubscribe(ClientFrame, tag="presence.subscribe", kw_only=True):
    """Whose presence to tell, beside contacts and direct peers; replaces the earlier list."""

    user_ids: Annotated[list[Id], Meta(max_length=MAX_SUBSCRIBED_PRESENCES)]


class TokenRefresh(ClientFrame, tag="token", kw_only=True):
    """A fresh access token for a connection that goes on."""

    token: Token


class Ping(ClientFrame, tag="ping", kw_only=True):
    """Ask whether anybody is there."""


AnyClientFrame = (
    Connect
    | MessageSend
    | MessageEdit
    | MessageDelete
    | ReactionAdd
    | ReactionRemove
    | Delivered
    | Read
    | TypingSet
    | PresenceSet
    | PresenceSubscribe
    | TokenRefresh
    | Ping
)
