"""``chat-mvp chat`` without a subcommand: a prompt, with the messages of others above it."""

import asyncio
import sys
from contextlib import suppress

from chat_mvp.cli.chat.commands import Terminal, read_password
from chat_mvp.cli.chat.keyboard import Keyboard, show_above
from chat_mvp.cli.chat.names import Names, find_conversation, title
from chat_mvp.cli.output import print_line, printable
from chat_mvp.client import ClientError, Session, SignedOutError
from chat_mvp.protocol import Conversation, MessageNew, Receipt, User

PROMPT = "> "
HELP = """/open @username or a group's name: talk there; what you type is sent
/list: conversations    /history: the newest messages here    /quit: leave"""


class Interactive:
    """A chat with prompt and keyboard."""

    def __init__(self, terminal: Terminal, keyboard: Keyboard) -> None:
        """Chat as the user who is signed in at ``terminal``."""
        self._terminal = terminal
        self._client = terminal.client
        self._keyboard = keyboard
        self._conversation: Conversation | None = None

    async def run(self) -> None:
        """Read lines until the end of input or ``/quit``, and show events meanwhile."""
        user = await self._sign_in()
        print_line(f"You are {printable(user.username)}.\n{HELP}")
        async with self._client.session() as session:
            showing = asyncio.create_task(self._show(session, user.id))
            try:
                await self._read_commands(session)
            finally:
                showing.cancel()
                with suppress(asyncio.CancelledError, ClientError):
                    await showing

    async def _sign_in(self) -> User:
        try:
            return await self._client.me()
        except SignedOutError:
            self._prompt("Username or e-mail: ")
            return await self._client.login(self._keyboard.line().strip(), read_password(self._keyboard))

    async def _read_commands(self, session: Session) -> None:
        while True:
            self._prompt(PROMPT)
            line = await self._keyboard.next_line()
            words = line.strip()
            if not line or words == "/quit":
                return
            try:
                await self._execute(session, words)
            except ClientError as error:
                print_line(f"! {error}")

    async def _execute(self, session: Session, words: str) -> None:
        command, _, argument = words.partition(" ")
        if not words:
            return
        if command == "/open":
            self._conversation = await find_conversation(self._client, argument.strip())
            print_line(f"You are in {title(self._conversation)}.")
        elif command == "/list":
            await self._terminal.conversations()
        elif command == "/history" and self._conversation is not None:
            await self._terminal.read(self._conversation.id, 20)
        elif command in {"/help", "/history"} or self._conversation is None:
            print_line(HELP)
        else:
            ack = await session.send(words, conversation_id=self._conversation.id)
            print_line(f"  {'✓' if ack.status == 'sent' else 'waiting'}")

    async def _show(self, session: Session, own_id: str) -> None:
        names = Names(self._client)
        while True:
            frame = await session.next()
            if isinstance(frame, MessageNew):
                is_shown_here = self._is_current(frame.message.conversation_id)
                show_above(await names.line(frame.message, where=not is_shown_here), PROMPT)
                if is_shown_here:
                    await session.read(frame.message.conversation_id, frame.message.seq)
            elif isinstance(frame, Receipt) and frame.user_id != own_id and self._is_current(frame.conversation_id):
                marks = f"delivered to number {frame.delivered_seq}, read to number {frame.read_seq}"
                show_above(f"  ✓✓ {marks}", PROMPT)

    def _is_current(self, conversation_id: str) -> bool:
        return self._conversation is not None and conversation_id == self._conversation.id

    def _prompt(self, text: str) -> None:
        if self._keyboard.is_terminal:
            sys.stdout.write(text)
            sys.stdout.flush()
