"""Admission: a bounded number at once, accounts in turn, and no more for an account with many connections."""

import asyncio

import pytest

from chat_mvp.limits import CATCH_UP_FRAMES_PER_SLOT
from chat_mvp.protocol import Error
from chat_mvp.realtime.admission import Admission, Slot
from chat_mvp.security.ratelimit import Limiter
from tests.unit.realtime.wires import Wire


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def entering(admission: Admission, *accounts: str) -> list[asyncio.Task[Slot]]:
    return [asyncio.create_task(admission.enter(account), name=account) for account in accounts]


def admitted(tasks: list[asyncio.Task[Slot]]) -> list[str]:
    return [task.get_name() for task in tasks if task.done()]


async def test_no_more_than_so_many_at_once() -> None:
    admission = Admission(at_once=2, at_once_each=2)
    tasks = entering(admission, "ann", "bob", "cat")
    await settle()
    assert admitted(tasks) == ["ann", "bob"]
    tasks[0].result().leave()
    await settle()
    assert admitted(tasks) == ["ann", "bob", "cat"]


async def test_an_account_with_many_connections_waits_for_itself() -> None:
    admission = Admission(at_once=8, at_once_each=2)
    tasks = entering(admission, *["ann"] * 15, "bob")
    await settle()
    assert admitted(tasks) == ["ann", "ann", "bob"]
    assert admission.waiting("ann") == 13
    tasks[0].result().leave()
    await settle()
    assert admitted(tasks) == ["ann", "ann", "ann", "bob"]


async def test_accounts_take_turns() -> None:
    admission = Admission(at_once=1, at_once_each=1)
    tasks = entering(admission, "ann", "ann", "ann", "bob", "cat")
    order = []
    while len(order) < len(tasks):
        await settle()
        (holder,) = [task for task in tasks if task.done() and task not in order]
        order.append(holder)
        holder.result().leave()
    assert [task.get_name() for task in order] == ["ann", "ann", "bob", "cat", "ann"]


async def test_a_slot_is_given_back_once() -> None:
    admission = Admission(at_once=1, at_once_each=1)
    slot = await admission.enter("ann")
    slot.leave()
    slot.leave()
    tasks = entering(admission, "bob", "cat")
    await settle()
    assert admitted(tasks) == ["bob"]


async def test_a_connection_that_waits_again_queues_behind_the_others() -> None:
    admission = Admission(at_once=1, at_once_each=1)
    slot = await admission.enter("ann")
    (bob,) = entering(admission, "bob")
    await settle()
    slot.leave()
    back = asyncio.create_task(slot.back())
    await settle()
    assert bob.done()
    assert not back.done()
    bob.result().leave()
    await back


@pytest.mark.parametrize("when", ["waiting", "admitted"])
async def test_a_connection_that_ends_holds_no_slot(when: str) -> None:
    admission = Admission(at_once=1, at_once_each=1)
    slot = await admission.enter("ann")
    gone, stays = entering(admission, "bob", "cat")
    await settle()
    if when == "admitted":
        slot.leave()
        gone.cancel()
    else:
        gone.cancel()
        await settle()
        slot.leave()
    (await stays).leave()
    (await admission.enter("dan")).leave()


async def test_a_slot_is_good_for_so_many_frames() -> None:
    slot = await Admission().enter("ann")
    assert [slot.is_used_up() for _ in range(2 * CATCH_UP_FRAMES_PER_SLOT)].count(True) == 2


async def test_an_account_that_reconnects_too_often_waits_and_the_others_do_not() -> None:
    now = 0.0
    admission = Admission(at_once=50, at_once_each=50, pace=Limiter(rate_per_s=20, burst=3, clock=lambda: now))
    tasks = entering(admission, *["ann"] * 5, *["bob"] * 3)
    await settle()
    assert admitted(tasks) == ["ann"] * 3 + ["bob"] * 3
    assert admission.waiting("ann") == 2
    now = 1.0
    await asyncio.gather(*tasks)
    assert admission.waiting("ann") == 0


@pytest.mark.parametrize("chars", [10, 2_000, 40_000, 300_000])
async def test_a_client_that_does_not_read_holds_no_slot(chars: int) -> None:
    admission = Admission(at_once=1, at_once_each=1)
    wire, slot = Wire(), await admission.enter("ann")
    wire.gate.clear()
    frame = Error(code="any", detail="x" * chars)

    async def catch_up() -> None:
        for _ in range(2_000):
            await wire.connection.catch_up(frame, slot)

    catching_up = asyncio.create_task(catch_up())
    async with asyncio.timeout(5):
        (await admission.enter("bob")).leave()
        await asyncio.sleep(0.2)
        (await admission.enter("bob")).leave()
    assert not catching_up.done()
    catching_up.cancel()
    wire.connection.outbox.close()
