"""Frames of the load generator: it decodes only a few fields, and encodes whole frames."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from chat_mvp import protocol
from chat_mvp.protocol import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK


def _tag(frame: type[protocol.ServerFrame]) -> str:
    return str(frame.__struct_config__.tag)


READY = _tag(protocol.Ready)
DRAINED = _tag(protocol.Drained)
MESSAGE_NEW = _tag(protocol.MessageNew)
MESSAGE_CHANGED = _tag(protocol.MessageChanged)
MESSAGE_EDITED = _tag(protocol.MessageEdited)
MESSAGE_REACTION = _tag(protocol.MessageReaction)
PONG = _tag(protocol.Pong)
MESSAGE_ACK = _tag(protocol.MessageAck)
RECEIPT = _tag(protocol.Receipt)
ERROR = _tag(protocol.Error)
BYE = _tag(protocol.Bye)


class MessagePart(Struct):
    """The fields of a message that are checked."""

    id: str
    conversation_id: str
    seq: int
    rev: int
    client_message_id: str


class StatePart(Struct):
    """The fields of a line of ``ready`` that are used."""

    id: str
    rev: int
    last_seq: int


class Frame(Struct):
    """Any frame from the server. Fields that its type does not have keep their defaults."""

    type: str
    message: MessagePart | None = None
    conversation_id: str = ""
    client_message_id: str = ""
    message_id: str = ""
    user_id: str = ""
    seq: int = 0
    rev: int = 0
    delivered_seq: int = 0
    duplicate: bool = False
    recovered: bool = False
    count: int = 0
    epoch: str = ""
    conversations: list[StatePart] = []
    code: str | int = ""
    detail: str = ""


class Connect(Struct, tag_field="type", tag=protocol.Connect.__struct_config__.tag, omit_defaults=True):
    """The first frame."""

    token: str
    known: dict[str, int] | None = None
    epoch: str | None = None


class Send(Struct, tag_field="type", tag=protocol.MessageSend.__struct_config__.tag):
    """A message to a conversation."""

    client_message_id: str
    conversation_id: str
    text: str


class Edit(Struct, tag_field="type", tag=protocol.MessageEdit.__struct_config__.tag):
    """A new text for a message."""

    message_id: str
    text: str


class React(Struct, tag_field="type", tag=protocol.ReactionAdd.__struct_config__.tag):
    """A reaction to a message."""

    message_id: str
    emoji: str


class Ping(Struct, tag_field="type", tag=protocol.Ping.__struct_config__.tag):
    """Asks whether the server is alive."""


class Delivered(Struct, tag_field="type", tag=protocol.Delivered.__struct_config__.tag):
    """A cumulative acknowledgement."""

    conversation_id: str
    seq: int


class Encoding(NamedTuple):
    """How frames are encoded and decoded."""

    subprotocol: str
    binary: bool
    encode: Callable[[Struct], bytes]
    decode: Callable[[Any], Frame]


ENCODINGS = {
    SUBPROTOCOL_JSON: Encoding(
        SUBPROTOCOL_JSON, False, msgspec.json.Encoder().encode, msgspec.json.Decoder(Frame).decode
    ),
    SUBPROTOCOL_MSGPACK: Encoding(
        SUBPROTOCOL_MSGPACK, True, msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(Frame).decode
    ),
}
