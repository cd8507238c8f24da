"""Devices that stop reading for a while, when the server has more to send than may wait for them."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence

from tests.faults.device import Device

EVERY_S = (3.0, 8.0)
STALL_S = (1.0, 5.0)
BIG_TEXT = "😀" * 9_900
"""About 40 kB on the wire. Each reaction brings it again, so that little is stored and much is sent."""
REACTIONS = 180
"""So many of them are 7 MB: more than the network's buffers, about 3 MB, and the server's 1 MiB can hold."""
EMOJI = "🌊"
PATIENCE_S = 4.0
"""How long is waited for what faults may keep from happening: then there is no slow reader this time."""
_LOOK_EVERY_S = 0.02


async def slow_down_readers(devices: Sequence[Device], chance: random.Random, ends_at: float) -> None:
    """Let one device after the other stop reading, and another one flood a conversation of both, until then."""
    while True:
        await asyncio.sleep(chance.uniform(*EVERY_S))
        if time.monotonic() > ends_at:
            return
        slow = chance.choice(devices)
        slow.stall(chance.uniform(*STALL_S))
        if await _becomes(lambda slow=slow: slow.stalled):
            await _flood(slow, devices, chance)


async def _flood(slow: Device, devices: Sequence[Device], chance: random.Random) -> None:
    """Let a person send a large message to a conversation of ``slow``, and react to it again and again."""
    pairs = [
        (loud, conversation_id)
        for loud in devices
        if loud.person is not slow.person and loud.replica.live
        for conversation_id in sorted(slow.replica.messages.keys() & loud.replica.messages.keys())
    ]
    if not pairs:
        return
    loud, conversation_id = chance.choice(pairs)
    name = loud.send(conversation_id, BIG_TEXT)
    if await _becomes(lambda: loud.own_message_id(conversation_id, name) is not None):
        message_id = loud.own_message_id(conversation_id, name) or ""
        for number in range(REACTIONS):
            loud.change(conversation_id, message_id, "remove" if number % 2 else "add", EMOJI)


async def _becomes(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY_S)
    return True
