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
    """Base of every frame from a client. The answer repeats ``ref``, if there is one."""

    ref: Ref | None = None


class Connect(ClientFrame, tag="connect", kw_only=True):
    """The first frame: an access token, and for each conversation in ``known`` the last ``rev`` that the client has."""

    token: Token | None = None
    device_id: Annotated[str, Meta(max_length=MAX_DEVICE_ID_CHARS)] | None = None
    known: Annotated[dict[Id, Mark], Meta(max_length=MAX_KNOWN)] | None = None
    epoch: Annotated[str, Meta(max_length=MAX_EPOCH_CHARS)] | None = None


class MessageSend(ClientFrame, tag="message.send", kw_only=True):
    """Send a message, to a conversation or (``to``) directly to a user."""

    client_message_id: ClientMessageId
    conversation_id: Id | None = None
    to: Id | None = None
    text: Text = ""
    attachments: Annotated[list[Id], Meta(max_length=MAX_ATTACHMENTS)] = []
    reply_to: Id | None = None
    thread_root: Id | None = None
    priority: Priority = "normal"


class MessageEdit(ClientFrame, tag="message.edit", kw_only=True):
    """Replace the text of one of the caller's messages."""

    message_id: Id
    text: Text


class MessageDelete(ClientFrame, tag="message.delete", kw_only=True):
    """Delete the content of a message. The message itself and its ``seq`` stay."""

    message_id: Id


class ReactionAdd(ClientFrame, tag="reaction.add", kw_only=True):
    """Add a reaction of the caller."""

    message_id: Id
    emoji: Emoji


class ReactionRemove(ClientFrame, tag="reaction.remove", kw_only=True):
    """Remove a reaction of the caller."""

    message_id: Id
    emoji: Emoji


class Delivered(ClientFrame, tag="delivered", kw_only=True):
    """Confirm that this device has received every message up to ``seq``."""

    conversation_id: Id
    seq: Mark


class Read(ClientFrame, tag="read", kw_only=True):
    """Confirm that the user has read every message up to ``seq``."""

    conversation_id: Id
    seq: Mark


class TypingSet(ClientFrame, tag="typing", kw_only=True):
    """Report that the user started or stopped typing."""

    conversation_id: Id
    state: Literal["start", "stop"]


class PresenceSet(ClientFrame, tag="presence.set", kw_only=True):
    """Set the presence, and optionally the status text, that others see of the caller."""

    state: ChosenPresence
    status_text: Annotated[str, Meta(max_length=MAX_STATUS_CHARS)] | None = None


class PresenceSubscribe(ClientFrame, tag="presence.subscribe", kw_only=True):
    """Subscribe to the presence of these users, in addition to contacts and direct peers. Replaces the earlier list."""

    user_ids: Annotated[list[Id], Meta(max_length=MAX_SUBSCRIBED_PRESENCES)]


class TokenRefresh(ClientFrame, tag="token", kw_only=True):
    """Replace the access token of this connection."""

    token: Token


class Ping(ClientFrame, tag="ping", kw_only=True):
    """Ask for a ``pong``."""


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
