"""The fields of the objects on the wire, as protocol.md lists them, and checks that an object has just these."""

import re
from typing import Any

USER = {"id", "username", "display_name", "avatar_url", "bio", "created_at"}
ME = USER | {"email", "email_verified", "role", "status_text", "profile", "settings"}
CONVERSATION = {
    *("id", "kind", "name", "description", "visibility", "avatar_url", "max_participants", "settings"),
    *("member_count", "created_by", "created_at", "updated_at", "last_seq", "rev", "last_message"),
    *("others_delivered_seq", "others_read_seq", "me"),
}
CONVERSATION_ME = {
    *("role", "joined_at", "joined_seq", "delivered_seq", "read_seq", "unread"),
    *("muted_until", "pinned", "archived", "draft", "notify"),
}
CONVERSATION_PATCH = frozenset(
    {"name", "description", "visibility", "avatar_url", "max_participants", "settings", "member_count", "me"}
)
OWN_PATCH = frozenset({"muted_until", "pinned", "archived", "draft", "notify", "unread_from"})
MEMBER = {"user", "role", "joined_at", "delivered_seq", "read_seq"}
CONTACT = {"user", "nickname", "created_at"}
PRESENCE = {"user_id", "state", "last_seen", "status_text"}
MESSAGE = {
    *("id", "conversation_id", "seq", "rev", "sender_id", "client_message_id", "kind", "text", "priority"),
    *("attachments", "reply_to", "thread_root", "thread", "mentions", "reactions", "pinned"),
    *("created_at", "edited_at", "deleted_at"),
}
READY = {
    *("type", "connection_id", "user_id", "epoch", "server_time", "heartbeat_s", "recovered", "queued"),
    *("unread_notifications", "token_expires_in", "conversations", "limits"),
}
READY_CONVERSATION = {
    *("id", "rev", "updated_at", "last_seq", "delivered_seq", "read_seq", "unread"),
    *("others_delivered_seq", "others_read_seq"),
}
ACK = {
    *("type", "client_message_id", "message_id", "conversation_id", "seq", "rev", "created_at"),
    *("status", "duplicate"),
}

_ID = re.compile(r"[0-9a-f]{24}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def check_fields(value: dict[str, Any], fields: set[str], *, optional: frozenset[str] = frozenset()) -> None:
    """Fail unless ``value`` has these fields and no others."""
    assert fields <= value.keys(), f"{sorted(fields - value.keys())} missing from {value}"
    assert value.keys() <= fields | optional, f"{sorted(value.keys() - fields - optional)} not wanted in {value}"


def check_id(value: Any) -> None:
    assert isinstance(value, str), value
    assert _ID.fullmatch(value), value


def check_time(value: Any) -> None:
    """Fail unless ``value`` is a time in UTC with milliseconds."""
    assert isinstance(value, str), value
    assert _TIME.fullmatch(value), value


def check_user(value: dict[str, Any]) -> None:
    check_fields(value, USER)
    check_id(value["id"])
    check_time(value["created_at"])


def check_message(value: dict[str, Any]) -> None:
    check_fields(value, MESSAGE)
    for name in ("id", "conversation_id", "sender_id"):
        check_id(value[name])
    check_time(value["created_at"])
    for name in ("edited_at", "deleted_at"):
        if value[name] is not None:
            check_time(value[name])
    for reaction in value["reactions"]:
        check_fields(reaction, {"emoji", "count", "user_ids"})
        assert reaction["count"] == len(reaction["user_ids"]) > 0


def check_conversation_patch(value: dict[str, Any]) -> None:
    check_fields(value, {"id", "updated_at"}, optional=CONVERSATION_PATCH)
    check_fields(value.get("me", {}), set(), optional=OWN_PATCH)
    check_id(value["id"])
    check_time(value["updated_at"])


def check_conversation(value: dict[str, Any]) -> None:
    check_fields(value, CONVERSATION | ({"peer"} if value["kind"] == "direct" else set()))
    check_fields(value["me"], CONVERSATION_ME, optional=frozenset({"unread_from"}))
    check_id(value["id"])
    for name in ("created_at", "updated_at"):
        check_time(value[name])
    check_time(value["me"]["joined_at"])
    if value["last_message"] is not None:
        check_message(value["last_message"])
