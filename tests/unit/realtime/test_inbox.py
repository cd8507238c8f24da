"""Waiting frames are read in order, wake their reader, and survive a cancelled reader."""

import asyncio

import pytest

from chat_mvp.realtime.inbox import Inbox


async def test_events_come_out_in_the_order_in_which_they_came() -> None:
    inbox = Inbox()
    for number in range(3):
        inbox.put_nowait({"number": number})
    assert len(inbox) == 3
    assert [(await inbox.get())["number"] for _ in range(3)] == [0, 1, 2]
    assert inbox.empty()


async def test_a_reader_waits_for_what_is_not_there_yet() -> None:
    inbox = Inbox()
    reading = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reading.done()
    inbox.put_nowait({"type": "first"})
    inbox.put_nowait({"type": "second"})
    assert (await reading)["type"] == "first"
    assert (await inbox.get())["type"] == "second"


async def test_nothing_is_lost_when_a_reader_gives_up() -> None:
    inbox = Inbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await inbox.get()
    inbox.put_nowait({"type": "late"})
    assert (await inbox.get())["type"] == "late"
