"""Messages as the server stores them, for benchmarks and tests that need some without sending them."""

from typing import Any

from msgspec import structs

from chat_mvp.protocol import Message


def stored_message(**fields: Any) -> Message:
    """Return a text message. ``fields`` replace the values of an ordinary one."""
    message = Message(
        id="d" * 24,
        conversation_id="c" * 24,
        seq=1,
        rev=1,
        sender_id="a" * 24,
        client_message_id="x",
        kind="text",
        text="hello",
        priority="normal",
        attachments=[],
        reply_to=None,
        thread_root=None,
        thread=None,
        mentions=[],
        reactions=[],
        pinned=False,
        created_at="2026-01-01T00:00:00.000Z",
        edited_at=None,
        deleted_at=None,
    )
    return structs.replace(message, **fields)
