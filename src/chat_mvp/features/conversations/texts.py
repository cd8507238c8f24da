"""Texts of the system messages about changes of a conversation, without the name of the member who made them."""

from chat_mvp.characters import isolated
from chat_mvp.protocol import Role
from chat_mvp.storage.records import ConversationRecord


def described_change(conversation: ConversationRecord, field: str) -> str:
    """Describe the change of one field of a conversation, which has its new value already. No text names the old."""
    match field, getattr(conversation, field):
        case "name", name:
            return f"renamed this to “{isolated(name or '')}”"
        case "description", description:
            return "changed the description" if description else "removed the description"
        case "avatar_url", address:
            return "changed the picture" if address else "removed the picture"
        case "max_participants", None:
            return "removed the limit on members"
        case "max_participants", limit:
            return f"set the limit on members to {limit:,}"
        case "post", "admins":
            return "let only admins write"
        case "post", _:
            return "let everyone write"
        case "visibility", "public":
            return f"made this {conversation.kind} public: people who join later see messages from here on"
        case _:
            return f"made this {conversation.kind} private: people who join later see messages from when they join"


def with_article(role: Role) -> str:
    """Return the name of a role with its article."""
    return f"an {role}" if role[0] in "ao" else f"a {role}"
