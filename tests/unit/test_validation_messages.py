"""Error texts name the field and what it must be, in JSON and in MessagePack alike."""

from typing import Any

import msgspec
import pytest

from chat_mvp.protocol.client_frames import Connect, MessageSend
from chat_mvp.validation_messages import invalid_field

ID = "a" * 24


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        ({"": 1}, "has a key that must have at least 24 characters"),
        ({"z" * 24: 1}, "has a key that does not have the right form"),
        ({ID + "a": 1}, "has a key that must have at most 24 characters"),
        ({ID: "x"}, "has an entry that must be a whole number, not text"),
        ({ID: None}, "has an entry that must be a whole number, not null"),
        ({ID: 1.5}, "has an entry that must be a whole number"),
        ({ID: -1}, "has an entry that must be at least 0"),
        ({ID: []}, "has an entry that must be a whole number, not a list"),
        ([], "must be an object or null, not a list"),
        ({f"{n:024x}": 1 for n in range(3_001)}, "must have at most 3000 entries"),
    ],
)
def test_known(known: object, detail: str) -> None:
    refused({"type": "connect", "known": known}, Connect, "known", detail)


@pytest.mark.parametrize(
    ("attachments", "field", "detail"),
    [
        ([ID, "x"], "attachments[1]", "must have at least 24 characters"),
        ([1], "attachments[0]", "must be text, not a whole number"),
        ([ID] * 21, "attachments", "must have at most 20 items"),
    ],
)
def test_items_of_a_list(attachments: object, field: str, detail: str) -> None:
    frame = {"type": "message.send", "client_message_id": "a", "attachments": attachments}
    refused(frame, MessageSend, field, detail)


def refused(frame: dict[str, Any], kind: type, field: str, detail: str) -> None:
    for codec in (msgspec.json, msgspec.msgpack):
        with pytest.raises(msgspec.ValidationError) as caught:
            codec.decode(codec.encode(frame), type=kind)
        error = invalid_field(caught.value)
        assert error.fields == {field: detail}
        assert error.detail == f"{field} {detail}."
