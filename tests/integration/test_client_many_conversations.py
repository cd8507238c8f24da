"""The Python client reconnects with thousands of conversations, more than it can name in ``known``."""

import asyncio

from chat_mvp.client import Client, Session
from chat_mvp.limits import MAX_KNOWN
from chat_mvp.protocol import ConversationReset, Drained, MessageNew, Ready
from tests.conftest import Launch
from tests.support.crowds import add_groups

MANY = MAX_KNOWN + 300
WITHIN_S = 30.0


async def until_drained(session: Session) -> list[object]:
    """Return the frames up to the next ``drained``."""
    frames: list[object] = []
    async with asyncio.timeout(WITHIN_S):
        while not frames or not isinstance(frames[-1], Drained):
            frames.append(await session.next())
    return frames


async def test_it_reconnects_and_misses_nothing(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    groups = await add_groups(chat.server, ann.id, bob.id, MANY)
    async with Client(chat.server.origin) as client:
        await client.login(bob.username, bob.password)
        assert [conversation.id for conversation in await client.conversations()] == groups
        async with client.session() as session:
            await until_drained(session)
            assert session.ready is not None
            assert [state.id for state in session.ready.conversations] == groups

            chat.server.kill()
            await chat.server.start()
            await ann.say(groups[0], "named")
            await ann.say(groups[-1], "not named")
            frames = await until_drained(session)
            ready = next(frame for frame in frames if isinstance(frame, Ready))
            assert ready.recovered
            assert len(ready.conversations) == MANY
            new = {frame.message.text for frame in frames if isinstance(frame, MessageNew)}
            reset = {frame.conversation_id for frame in frames if isinstance(frame, ConversationReset)}
            live = {"named", "not named"} - new
            while live:
                async with asyncio.timeout(WITHIN_S):
                    frame = await session.next()
                if isinstance(frame, MessageNew):
                    live.discard(frame.message.text)
            assert reset <= {groups[-1]}
            assert (await session.send("still here", conversation_id=groups[5])).seq == 2
