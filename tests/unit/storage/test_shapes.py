"""Documents of a backup are compared with what a server stores, before any of them is stored."""

from typing import Any

import bson
import pytest
from bson import ObjectId

from chat_mvp.storage.conversations import conversation_document
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord
from chat_mvp.storage.schema import BACKED_UP, DOCUMENTS
from chat_mvp.storage.shapes import wrong_field
from chat_mvp.times import utc_now
from tests.support.stored import stored_account, stored_message

MESSAGE = stored_message()
CHANGED: dict[str, Any] = {
    "reactions": [{"emoji": "👍", "user_ids": [ObjectId()]}],
    "thread": {"count": 1, "last_seq": 2},
    "edits": [{"text": "helo", "at": utc_now()}],
    "mentions": [ObjectId()],
    "edited_at": utc_now(),
    "deleted_at": None,
    "of_a_later_version": 1,
}
QUEUED: dict[str, Any] = {
    "_id": {"recipient_id": ObjectId(), "conversation_id": ObjectId(), "seq": 1},
    "message_id": ObjectId(),
    "priority": 1,
    "attempts": 0,
    "created_at": utc_now(),
}


def test_documents_as_a_server_stores_them() -> None:
    assert wrong_field("messages", bson.encode(MESSAGE)) is None
    assert wrong_field("messages", bson.encode(MESSAGE | CHANGED)) is None
    assert wrong_field("message_queue", bson.encode(QUEUED)) is None


@pytest.mark.parametrize("field", MESSAGE)
def test_a_field_that_is_missing(field: str) -> None:
    assert wrong_field("messages", bson.encode({k: v for k, v in MESSAGE.items() if k != field})) == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seq", value) for value in ("1", 1.0, True, None)),
        *(("sender_id", value) for value in (str(ObjectId()), b"x" * 12, None)),
        *(("created_at", value) for value in ("2026-01-01", 5, None)),
        *(("text", value) for value in (b"x", 5, None)),
        *(("kind", value) for value in ("other", None)),
        *(
            ("reactions", value)
            for value in ({}, [{}], [{"emoji": 1, "user_ids": []}], [{"emoji": "a", "user_ids": ["b"]}])
        ),
        *(("mentions", value) for value in ("a", ["a"])),
        *(("thread", value) for value in (1, {"count": 1}, {"count": "1", "last_seq": 1})),
        ("edits", [{"text": "a"}]),
    ],
)
def test_a_value_of_another_type(field: str, value: object) -> None:
    assert wrong_field("messages", bson.encode(MESSAGE | {field: value})) == field


@pytest.mark.parametrize("key", [ObjectId(), {}, {"recipient_id": "a", "conversation_id": ObjectId(), "seq": 1}])
def test_a_key_of_several_fields(key: object) -> None:
    assert wrong_field("message_queue", bson.encode(QUEUED | {"_id": key})) == "_id"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username_folded", "Ann"),
        ("email_folded", "bob@example.org"),
        ("presence", "offline"),
        ("profile_json", "{"),
        ("profile_json", "[]"),
        ("settings_json", "[" * 100_000),
        ("settings_json", '{"a":' * 5_000 + "1" + "}" * 5_000),
    ],
)
def test_an_account_that_no_server_stores(field: str, value: str) -> None:
    assert wrong_field("users", bson.encode(stored_account())) is None
    assert wrong_field("users", bson.encode(stored_account() | {field: value})) == field


@pytest.mark.parametrize(
    ("kind", "key", "wrong"),
    [
        ("direct", f"{'a' * 24}:{'b' * 24}", None),
        ("group", None, None),
        ("direct", None, "direct_key"),
        ("direct", "a:b", "direct_key"),
        ("group", f"{'a' * 24}:{'b' * 24}", "direct_key"),
    ],
)
def test_the_pair_of_a_direct_conversation(kind: str, key: str | None, wrong: str | None) -> None:
    record = ConversationRecord(
        id=new_id(),
        kind="direct" if kind == "direct" else "group",
        name=None,
        description="",
        visibility="private",
        avatar_url=None,
        max_participants=None,
        post="members",
        member_count=2,
        created_by=new_id(),
        created_at=utc_now(),
        updated_at=utc_now(),
        activity_at=utc_now(),
        last_seq=0,
        rev=0,
        direct_key=key,
    )
    assert wrong_field("conversations", bson.encode(conversation_document(record))) == wrong


def test_what_no_server_can_read() -> None:
    whole = bson.encode(MESSAGE)
    for document in (b"", whole[:-1], whole.replace(b"hello", b"hell\xff")):
        assert wrong_field("messages", document) == "the document"


@pytest.mark.parametrize("collection", DOCUMENTS)
def test_every_collection_wants_something(collection: str) -> None:
    assert collection not in BACKED_UP or wrong_field(collection, bson.encode({"_id": ObjectId()})) is not None
