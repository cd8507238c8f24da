"""The subcommands of ``chat-mvp chat``: each asks the server and prints the answer."""

import getpass
from collections.abc import Callable
from typing import Any

import msgspec

from chat_mvp.cli.chat.keyboard import Keyboard
from chat_mvp.cli.chat.names import Names, find_conversation, title
from chat_mvp.cli.output import print_line, print_table, printable
from chat_mvp.client import Client, ClientError
from chat_mvp.protocol import AnyServerFrame, Conversation, Message, MessageNew

PAGE = 200


class Terminal:
    """One signed-in user at a terminal, or a script (``as_json``)."""

    def __init__(self, client: Client, *, as_json: bool) -> None:
        """Print the answers of ``client``."""
        self.client = client
        self.as_json = as_json

    # --- accounts

    async def register(self, username: str, email: str, name: str | None) -> None:
        """Create an account and stay signed in."""
        user = await self.client.register(username, email, read_password(Keyboard(), twice=True), display_name=name)
        self._show(user, lambda: [f"You are {printable(user.username)} now."])

    async def login(self, login: str) -> None:
        """Sign in and stay signed in."""
        user = await self.client.login(login, read_password(Keyboard()))
        self._show(user, lambda: [f"You are {printable(user.username)} now."])

    async def logout(self) -> None:
        """Sign out."""
        await self.client.logout()

    async def whoami(self) -> None:
        """Show the signed-in account."""
        user = await self.client.me()
        self._show(user, lambda: [f"{printable(user.username)} ({printable(user.display_name)}), {user.id}"])

    # --- people and conversations

    async def people(self, beginning: str) -> None:
        """Show users whose name starts with ``beginning``."""
        users = await self.client.find_users(beginning)
        if self.as_json:
            print_line(_json(users))
        else:
            print_table(
                ("Username", "Name", "Id"),
                [(printable(user.username), printable(user.display_name), user.id) for user in users],
            )

    async def group(self, name: str, usernames: list[str]) -> None:
        """Create a group with these users."""
        members = [(await self.client.user(username.removeprefix("@"))).id for username in usernames]
        conversation = await self.client.group(name, members)
        self._show(conversation, lambda: [conversation.id])

    async def conversations(self) -> None:
        """Show all conversations of the user."""
        found = await self.client.conversations()
        if self.as_json:
            print_line(_json(found))
        else:
            print_table(("Conversation", "Unread", "Last message", "Id"), [_row(one) for one in found])

    # --- messages

    async def read(self, where: str, limit: int) -> None:
        """Show the newest messages of a conversation and mark it as read."""
        conversation = await find_conversation(self.client, where)
        messages = await self._newest(conversation.id, limit)
        if self.as_json:
            for message in messages:
                print_line(_json(message))
        else:
            names = Names(self.client)
            for message in messages:
                print_line(await names.line(message))
        if messages and conversation.me.read_seq < messages[-1].seq:
            async with self.client.session(events=False) as session:
                await session.read(conversation.id, messages[-1].seq)

    async def write(self, where: str, text: str) -> None:
        """Send one message and report that it is stored."""
        conversation = await find_conversation(self.client, where)
        async with self.client.session(events=False) as session:
            ack = await session.send(text, conversation_id=conversation.id)
        self._show(ack, lambda: [f"{ack.status} as number {ack.seq}"])

    async def tail(self, where: str | None, count: int | None) -> None:
        """Show new messages, starting with those that waited. A message that is shown is acknowledged."""
        conversation = None if where is None else await find_conversation(self.client, where)
        async with self.client.session() as session:
            names = Names(self.client)
            remaining = count
            while remaining is None or remaining > 0:
                frame = await session.next()
                if await self._show_event(frame, names, conversation) and remaining is not None:
                    remaining -= 1

    async def _show_event(self, frame: AnyServerFrame, names: Names, only: Conversation | None) -> bool:
        """Print a frame if it is wanted, and return whether it was a message."""
        if isinstance(frame, MessageNew):
            if only is not None and frame.message.conversation_id != only.id:
                return False
            print_line(_json(frame.message) if self.as_json else await names.line(frame.message, where=only is None))
            return True
        return False

    async def _newest(self, conversation_id: str, limit: int) -> list[Message]:
        found: list[Message] = []
        before: int | None = None
        while len(found) < limit:
            page = await self.client.history(conversation_id, before=before, limit=min(PAGE, limit - len(found)))
            if not page:
                break
            found[:0] = page
            before = page[0].seq
        return found

    def _show(self, value: Any, lines: Callable[[], list[str]]) -> None:
        if self.as_json:
            print_line(_json(value))
        else:
            for line in lines():
                print_line(line)


def read_password(keyboard: Keyboard, *, twice: bool = False) -> str:
    """Ask for a password without showing it. Without a terminal, read the next line of standard input."""
    if not keyboard.is_terminal:
        password = keyboard.line().rstrip("\r\n")
    else:
        password = getpass.getpass("Password: ")
        if twice and getpass.getpass("Once more: ") != password:
            raise ClientError("The two passwords differ.")
    if not password:
        raise ClientError("A password is required: at the prompt, or as the first line of standard input.")
    return password


def _row(conversation: Conversation) -> tuple[str, str, str, str]:
    last = conversation.last_message
    text = "" if last is None else printable(last.text).replace("\n", " ")[:60]
    return title(conversation), str(conversation.me.unread), text, conversation.id


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
