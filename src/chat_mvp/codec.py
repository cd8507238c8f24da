"""Frames to bytes and back, in the two encodings that a client may ask for."""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from chat_mvp.errors import BadFrameError, ChatError, UnknownTypeError, ValidationError
from chat_mvp.limits import MAX_REF_CHARS
from chat_mvp.protocol import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK, AnyClientFrame, Ref, ServerFrame
from chat_mvp.storable import check_storable, is_storable, with_nuls_for_halves
from chat_mvp.validation_messages import invalid_field


class _Head(msgspec.Struct):
    """As much of a frame as tells what went wrong with the rest of it."""

    type: str
    ref: msgspec.Raw = msgspec.Raw(b"")


_MAX_REF_BYTES = 2 + MAX_REF_CHARS * len(r"\ud83d\ude00")
"""Quotes, and each character escaped as a surrogate pair."""
_CLIENT_TYPES = frozenset(frame.__struct_config__.tag for frame in AnyClientFrame.__args__)


class Refused(NamedTuple):
    """Why a frame was not understood, and the reference to answer with, where it has one."""

    error: ChatError
    ref: Ref | None


class Codec:
    """One encoding. ``binary`` tells which kind of WebSocket frame carries it."""

    def __init__(
        self,
        subprotocol: str,
        *,
        binary: bool,
        encode: Callable[[ServerFrame], bytes],
        decode: Callable[[bytes | str], AnyClientFrame],
        decode_head: Callable[[bytes | str], _Head],
        decode_ref: Callable[[msgspec.Raw], Ref],
    ) -> None:
        """Use these functions of msgspec."""
        self.subprotocol = subprotocol
        self.binary = binary
        self.encode = encode
        self._decode = decode
        self._decode_head = decode_head
        self._decode_ref = decode_ref

    def decode(self, data: bytes | str) -> AnyClientFrame | Refused:
        """Return the frame, or why it is none."""
        try:
            return self._decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return self._decode_mended(data) or self._refused(data, error)

    def _decode_mended(self, data: bytes | str) -> AnyClientFrame | Refused | None:
        """Return what a frame with half of a surrogate pair in it is; ``None`` for a frame without.

        An answer without its reference would not settle it, and a client that repeats an unsettled frame would never
        stop.
        """
        if isinstance(data, bytes):
            return None
        try:
            mended = with_nuls_for_halves(data.encode())
        except UnicodeEncodeError:
            return None
        if mended is None:
            return None
        try:
            frame = self._decode(mended)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return self._refused(mended, error)
        try:
            check_storable(msgspec.to_builtins(frame))
        except ValidationError as error:
            return Refused(error, _storable(frame.ref))
        return frame

    def _refused(self, data: bytes | str, error: Exception) -> Refused:
        try:
            head = self._decode_head(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return Refused(BadFrameError("A frame is one object with a type, in the encoding agreed on."), None)
        ref = self._usable(head.ref)
        if head.type not in _CLIENT_TYPES:
            return Refused(UnknownTypeError("This server does not know frames of this type."), ref)
        if isinstance(error, msgspec.ValidationError):
            return Refused(invalid_field(error), ref)
        return Refused(BadFrameError("The frame is nested too deeply."), ref)

    def _usable(self, ref: msgspec.Raw) -> Ref | None:
        if not 0 < len(ref) <= _MAX_REF_BYTES:
            return None
        try:
            return _storable(self._decode_ref(ref))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None


def _storable(ref: Ref | None) -> Ref | None:
    # A NUL here stands for half of a surrogate pair, so the client would not recognise the reference.
    return None if isinstance(ref, str) and not is_storable(ref) else ref


_json_encoder = msgspec.json.Encoder()
_msgpack_encoder = msgspec.msgpack.Encoder()
_json_head = msgspec.json.Decoder(_Head)
_msgpack_head = msgspec.msgpack.Decoder(_Head)


JSON = Codec(
    SUBPROTOCOL_JSON,
    binary=False,
    encode=_json_encoder.encode,
    decode=msgspec.json.Decoder(AnyClientFrame).decode,
    decode_head=_json_head.decode,
    decode_ref=msgspec.json.Decoder(Ref).decode,
)
MSGPACK = Codec(
    SUBPROTOCOL_MSGPACK,
    binary=True,
    encode=_msgpack_encoder.encode,
    decode=msgspec.msgpack.Decoder(AnyClientFrame).decode,  # type: ignore[arg-type]
    decode_head=_msgpack_head.decode,  # type: ignore[arg-type]
    decode_ref=msgspec.msgpack.Decoder(Ref).decode,
)
CODECS = {codec.subprotocol: codec for codec in (JSON, MSGPACK)}


_FIN_TEXT = 0x81
_FIN_BINARY = 0x82
_SHORT = 126
_MEDIUM = 1 << 16


def to_wire(payload: bytes, codec: Codec) -> bytes:
    """Return a complete, unmasked WebSocket frame (RFC 6455, section 5.2) around a payload."""
    opcode = _FIN_BINARY if codec.binary else _FIN_TEXT
    size = len(payload)
    if size < _SHORT:
        return bytes((opcode, size)) + payload
    if size < _MEDIUM:
        return bytes((opcode, 126)) + size.to_bytes(2) + payload
    return bytes((opcode, 127)) + size.to_bytes(8) + payload


class EncodedFrame:
    """A frame for many connections: encoded and put together at most once in each encoding."""

    __slots__ = ("_payloads", "_wires", "frame")

    def __init__(self, frame: ServerFrame) -> None:
        """Encode nothing yet."""
        self.frame = frame
        self._payloads: dict[str, bytes] = {}
        self._wires: dict[str, bytes] = {}

    def payload(self, codec: Codec) -> bytes:
        """Return the frame in this encoding."""
        data = self._payloads.get(codec.subprotocol)
        if data is None:
            data = self._payloads[codec.subprotocol] = codec.encode(self.frame)
        return data

    def wire(self, codec: Codec) -> bytes:
        """Return the frame in this encoding as it goes over the wire, see ``to_wire``."""
        data = self._wires.get(codec.subprotocol)
        if data is None:
            data = self._wires[codec.subprotocol] = to_wire(self.payload(codec), codec)
        return data
