"""Finds a conversation by what the user types, and the names of users by their ids."""

import re

from chat_mvp.cli.output import printable
from chat_mvp.client import Client, ClientError
from chat_mvp.protocol import Conversation, Message

_ID = re.compile("[0-9a-f]{24}")


async def find_conversation(client: Client, where: str) -> Conversation:
    """Return the conversation for ``@username`` (direct, created if needed), an id or the name of a group."""
    if where.startswith("@"):
        return await client.direct((await client.user(where[1:])).id)
    found = await client.conversations()
    for conversation in found:
        if conversation.id == where:
            return conversation
    if _ID.fullmatch(where):
        raise ClientError("You are in no conversation with this id.")
    named = [one for one in found if (one.name or "").casefold() == where.casefold()]
    if len(named) == 1:
        return named[0]
    if named:
        raise ClientError(f"{len(named)} conversations have this name. Give the id instead.")
    raise ClientError("You are in no conversation with this name. Use @username for a user.")


def title(conversation: Conversation) -> str:
    """Return the title of a conversation: its name, or the name of the other user."""
    if conversation.peer:
        return f"@{printable(conversation.peer.username)}"
    return printable(conversation.name or conversation.id)


class Names:
    """The names of users, fetched once for each conversation and again when a new member writes."""

    def __init__(self, client: Client) -> None:
        """Fetch names with ``client``."""
        self._client = client
        self._people: dict[str, str] = {}
        self._titles: dict[str, str] = {}

    async def line(self, message: Message, *, where: bool = False) -> str:
        """Return a message as one line to show, with its conversation if ``where``."""
        if message.sender_id not in self._people:
            for member in await self._client.members(message.conversation_id):
                self._people[member.user.id] = printable(member.user.username)
        # Indent further lines, so that they cannot look like a message of another user.
        text = "(deleted)" if message.deleted_at else printable(message.text).replace("\n", "\n        ")
        prefix = f"{await self._title(message.conversation_id)} " if where else ""
        clock = message.created_at[11:16]
        return f"{clock} {prefix}{self._people.get(message.sender_id, message.sender_id)}: {text}"

    async def _title(self, conversation_id: str) -> str:
        if conversation_id not in self._titles:
            self._titles |= {one.id: title(one) for one in await self._client.conversations()}
        return self._titles.get(conversation_id, conversation_id)
