"""Confirmations are passed on at once, and then at most once in an interval, and none is lost."""

import asyncio
from typing import Any, cast

import pytest

from chat_mvp.errors import ChatError, NotFoundError, UnavailableError
from chat_mvp.features.messages.confirmations import MAX_GATHERED, MAX_WAITING_MARKS, MAX_WITH_WRITER, Confirmations
from chat_mvp.features.messages.operations import RaiseMarks

INTERVAL_S = 0.05


class Answers:
    """The reply to one frame of a device."""

    def __init__(self, device: str = "phone") -> None:
        self.connection_id: str | None = device
        self.errors: list[ChatError] = []

    def succeed(self, result: Any) -> None:
        raise AssertionError("nothing answers a confirmation that succeeds")

    def refuse(self, error: ChatError) -> None:
        self.errors.append(error)


class Writer:
    """Collects the operations."""

    def __init__(self) -> None:
        self.operations: list[RaiseMarks] = []
        self.is_full = False

    def submit(self, operation: RaiseMarks) -> None:
        if self.is_full:
            raise UnavailableError("full", retry_after_ms=1)
        self.operations.append(operation)

    def marks(self) -> list[tuple[int, int]]:
        return [(operation._delivered, operation._read) for operation in self.operations]


class Rosters:
    def get(self, _: str) -> None:
        return None


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
async def confirmations(writer: Writer) -> Confirmations:
    return Confirmations(
        writer=cast("Any", writer), rosters=cast("Any", Rosters()), is_hidden=lambda _: False, interval_s=INTERVAL_S
    )


def raise_marks(
    confirmations: Confirmations, *, delivered: int = 0, read: int = 0, room: str = "room", device: str = "phone"
) -> Answers:
    answers = Answers(device)
    confirmations.raise_marks("bob", room, delivered=delivered, read=read, reply=answers)
    return answers


async def test_the_first_at_once_and_the_others_together(writer: Writer, confirmations: Confirmations) -> None:
    raise_marks(confirmations, delivered=1)
    assert writer.marks() == [(1, 0)]
    raise_marks(confirmations, delivered=3)
    raise_marks(confirmations, delivered=2, read=2)
    raise_marks(confirmations, delivered=1, room="another room")
    assert writer.marks() == [(1, 0), (1, 0)]
    await asyncio.sleep(2 * INTERVAL_S)
    assert writer.marks() == [(1, 0), (1, 0), (3, 2)]
    await asyncio.sleep(3 * INTERVAL_S)
    raise_marks(confirmations, delivered=4)
    assert writer.marks()[3:] == [(4, 0)], "the interval is over"


async def test_a_steady_stream_is_passed_on_once_in_an_interval(writer: Writer, confirmations: Confirmations) -> None:
    for seq in range(1, 31):
        raise_marks(confirmations, delivered=seq)
        await asyncio.sleep(INTERVAL_S / 10)
    await asyncio.sleep(2 * INTERVAL_S)
    assert writer.marks()[-1] == (30, 0)
    assert len(writer.operations) < 10


@pytest.mark.parametrize(("devices", "named"), [(["phone", "phone"], "phone"), (["phone", "tablet"], None)])
async def test_a_mark_of_two_devices_goes_to_both(
    writer: Writer, confirmations: Confirmations, devices: list[str], named: str | None
) -> None:
    raise_marks(confirmations, delivered=1)
    for seq, device in enumerate(devices, 2):
        raise_marks(confirmations, delivered=seq, device=device)
    await asyncio.sleep(2 * INTERVAL_S)
    assert writer.operations[-1].reply.connection_id == named


async def test_each_caller_gets_the_refusal(writer: Writer, confirmations: Confirmations) -> None:
    raise_marks(confirmations, delivered=1)
    callers = [raise_marks(confirmations, delivered=seq) for seq in (2, 3)]
    await asyncio.sleep(2 * INTERVAL_S)
    refusal = NotFoundError("There is no such conversation.")
    writer.operations[-1].reply.refuse(refusal)
    assert [caller.errors for caller in callers] == [[refusal], [refusal]]


async def test_a_full_writer_refuses_at_once_or_at_the_end(writer: Writer, confirmations: Confirmations) -> None:
    raise_marks(confirmations, delivered=1)
    caller = raise_marks(confirmations, delivered=2)
    writer.is_full = True
    with pytest.raises(UnavailableError):
        raise_marks(confirmations, delivered=1, room="another room")
    await asyncio.sleep(2 * INTERVAL_S)
    assert [type(error) for error in caller.errors] == [UnavailableError]
    writer.is_full = False
    raise_marks(confirmations, delivered=3)
    assert writer.marks() == [(1, 0), (3, 0)]


async def test_what_is_too_much_at_once_is_raised_again(writer: Writer, confirmations: Confirmations) -> None:
    raise_marks(confirmations, delivered=50_000)
    writer.operations[-1].reply.succeed(False)
    assert writer.marks() == [(50_000, 0), (50_000, 0)]
    writer.operations[-1].reply.succeed(True)
    assert len(writer.operations) == 2


async def test_no_more_than_so_many_are_gathered(writer: Writer, confirmations: Confirmations) -> None:
    for seq in range(1, MAX_GATHERED + 2):
        raise_marks(confirmations, delivered=seq)
    assert writer.marks() == [(1, 0), (MAX_GATHERED + 1, 0)]


async def test_closing_passes_everything_on(writer: Writer, confirmations: Confirmations) -> None:
    for room in ("room", "another room"):
        raise_marks(confirmations, delivered=1, room=room)
        raise_marks(confirmations, delivered=2, room=room)
    confirmations.close()
    assert writer.marks() == [(1, 0), (1, 0), (2, 0), (2, 0)]
    await asyncio.sleep(2 * INTERVAL_S)
    assert len(writer.operations) == 4


async def test_one_user_has_only_so_many_with_the_writer(writer: Writer, confirmations: Confirmations) -> None:
    count = 3 * MAX_WITH_WRITER
    for number in range(count):
        raise_marks(confirmations, delivered=1, room=f"room {number}")
    confirmations.raise_marks("ann", "room 0", delivered=7, reply=Answers())
    assert writer.marks() == [(1, 0)] * MAX_WITH_WRITER + [(7, 0)], "and another user is not delayed"
    raise_marks(confirmations, delivered=2, room=f"room {count - 1}")
    answered = 0
    while answered < len(writer.operations):
        reply = writer.operations[answered].reply
        if answered % 2:
            reply.succeed(True)
        else:
            reply.refuse(NotFoundError("There is no such conversation."))
        answered += 1
        assert len(writer.operations) - answered <= MAX_WITH_WRITER + 1
    assert len(writer.operations) == count + 1
    assert writer.marks()[-1] == (2, 0), "what came while it waited is merged"


async def test_closing_passes_on_what_waits_for_its_turn(writer: Writer, confirmations: Confirmations) -> None:
    for number in range(2 * MAX_WITH_WRITER):
        raise_marks(confirmations, delivered=1, room=f"room {number}")
    confirmations.close()
    assert len(writer.operations) == 2 * MAX_WITH_WRITER


async def test_only_so_many_wait_for_their_turn(writer: Writer, confirmations: Confirmations) -> None:
    for number in range(MAX_WITH_WRITER + MAX_WAITING_MARKS):
        raise_marks(confirmations, delivered=1, room=f"room {number}")
    with pytest.raises(UnavailableError):
        raise_marks(confirmations, delivered=1, room="one too many")
    raise_marks(confirmations, delivered=2, room=f"room {MAX_WITH_WRITER}")
    writer.operations[0].reply.succeed(True)
    raise_marks(confirmations, delivered=1, room="one too many")
