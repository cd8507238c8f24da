"""Documents as a server stores them, for backups that no server has written."""

from typing import Any

from bson import Int64, ObjectId

from chat_mvp.times import utc_now


def stored_account(name: str = "ann") -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "username": name,
        "username_folded": name,
        "email": f"{name}@example.org",
        "email_folded": f"{name}@example.org",
        "password_hash": "x",
        "display_name": name,
        "name_words": [name],
        "created_at": utc_now(),
    }


def stored_message(text: str = "hello") -> dict[str, Any]:
    return {
        "_id": ObjectId(),
        "conversation_id": ObjectId(),
        "seq": Int64(2**40),
        "rev": 1,
        "made_rev": 1,
        "sender_id": ObjectId(),
        "client_message_id": "x",
        "kind": "text",
        "text": text,
        "priority": "normal",
        "status": "sent",
        "created_at": utc_now(),
    }
