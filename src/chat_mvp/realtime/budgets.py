"""The budget in ``security/budgets.py`` from which each type of frame takes. A missing type fails the start."""

from collections.abc import Mapping
from typing import Final

from chat_mvp.protocol import (
    Connect,
    Delivered,
    MessageDelete,
    MessageEdit,
    MessageSend,
    Ping,
    PresenceSet,
    PresenceSubscribe,
    ReactionAdd,
    ReactionRemove,
    Read,
    TokenRefresh,
    TypingSet,
)

FRAME_BUDGETS: Final[Mapping[type, str]] = {
    Connect: "connect",
    MessageSend: "message",
    MessageEdit: "message",
    MessageDelete: "message",
    ReactionAdd: "message",
    ReactionRemove: "message",
    Delivered: "mark",
    Read: "mark",
    TypingSet: "typing",
    PresenceSet: "presence",
    PresenceSubscribe: "subscribe",
    TokenRefresh: "token",
    Ping: "ping",
}
"""All of these are counted per account. A first ``connect`` also takes from ``handshake``, counted per address."""
