"""``chat-mvp demo``: two invented users on a real server, with a commentary."""

import asyncio
import secrets
import sys
import tempfile
import time
import webbrowser
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from chat_mvp.child import child_server
from chat_mvp.cli.history import PEOPLE, fill
from chat_mvp.cli.story import Story
from chat_mvp.client import Client, ClientError, Session
from chat_mvp.errors import StartupError
from chat_mvp.protocol import Drained, MessageAck, MessageNew, Receipt, ServerFrame

STEP_WITHIN_S = 10.0

# Rate limits are off, because a history of hours is written in a second.
_SETTINGS = {"RATE_LIMITS": "off", "LOG_LEVEL": "error"}

Frame = TypeVar("Frame", bound=ServerFrame)

WAITING = ("Are you there?", "The tickets are 24 € each 🎟️", "I have taken two, come at eight.")


def run(*, stay_open: bool) -> int:
    """Run the demo and return the exit code."""
    try:
        asyncio.run(_demo(stay_open=stay_open))
    except KeyboardInterrupt:
        return 0
    except (ClientError, TimeoutError) as error:
        reason = str(error) or "the server took too long"
        raise StartupError(f"The demo failed: {reason}.", remedy="Run chat-mvp doctor to see why.") from error
    return 0


async def _demo(*, stay_open: bool) -> None:
    story = Story()
    with tempfile.TemporaryDirectory(prefix="chat-mvp-demo-") as directory:
        began = time.monotonic()
        async with child_server(Path(directory) / "data", _SETTINGS) as server:
            story.scene(f"A server with its own MongoDB, in {directory}")
            story.tell(f"ready at {server.url} after {time.monotonic() - began:.1f} s")
            password = secrets.token_urlsafe(12)
            await _play(server.url, password, story)
            if stay_open:
                await _stay(server.url, password, story)
        story.scene("The server has stopped. Its directory is deleted.")


async def _play(url: str, password: str, story: Story) -> None:
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(Client(url))
        bob = await stack.enter_async_context(Client(url))
        await ada.register("ada", "ada@example.org", password, display_name="Ada")
        bob_id = (await bob.register("bob", "bob@example.org", password, display_name="Bob")).id
        story.scene("Ada and Bob are both connected")
        writer = await stack.enter_async_context(ada.session())
        async with bob.session() as reader:
            await _until(reader, Drained)
            ack = await _say(writer, story, "Hello Bob, concert tonight?", to=bob_id)
            await _receive(reader, story, 1)
            await reader.read(ack.conversation_id, ack.seq)
            await _until_read(writer, story, ack.seq)
        story.scene("Bob goes offline; what Ada writes waits in MongoDB")
        for text in WAITING:
            ack = await _say(writer, story, text, to=bob_id)
        story.scene("Bob comes back")
        async with bob.session() as reader:
            await _receive(reader, story, len(WAITING))
            drained = await _until(reader, Drained)
            story.tell(f"drained: {drained.count} messages had waited")
            await reader.read(ack.conversation_id, ack.seq)
            await _until_read(writer, story, ack.seq)
        story.scene("Nothing was lost, nothing came twice")
        for message in await bob.history(ack.conversation_id):
            story.tell(f"{message.seq}. {message.text}")


async def _say(writer: Session, story: Story, text: str, *, to: str) -> MessageAck:
    ack = await writer.send(text, to=to)
    story.says("Ada", text, f"stored as number {ack.seq}, {'✓ sent' if ack.status == 'sent' else 'queued for Bob'}")
    return ack


async def _receive(reader: Session, story: Story, count: int) -> None:
    for _ in range(count):
        message = (await _until(reader, MessageNew)).message
        story.tell(f"Bob's screen shows: {message.text}")


async def _until_read(writer: Session, story: Story, seq: int) -> None:
    async with asyncio.timeout(STEP_WITHIN_S):
        while True:
            receipt = await _until(writer, Receipt)
            if receipt.read_seq >= seq:
                story.tell(f"✓✓ Ada sees that Bob has read up to number {receipt.read_seq}")
                return


async def _until(session: Session, wanted: type[Frame]) -> Frame:
    async with asyncio.timeout(STEP_WITHIN_S):
        while True:
            frame = await session.next()
            if isinstance(frame, wanted):
                return frame


async def _stay(url: str, password: str, story: Story) -> None:
    await fill(url, password)
    story.scene("The server stays open, with a history to look at")
    story.tell(f"address:  {url}")
    story.tell(f"people:   {', '.join(['ada', 'bob', *PEOPLE])}")
    story.tell(f"password: {password} (the same for all)")
    story.tell("Ctrl-C stops it and deletes everything.")
    if sys.stdout.isatty():
        await asyncio.to_thread(webbrowser.open, url)
    await asyncio.Event().wait()
