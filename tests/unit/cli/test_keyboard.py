"""Lines from standard input."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from chat_mvp.cli.chat.keyboard import Keyboard

WAITING = """
import asyncio
from chat_mvp.cli.chat.keyboard import Keyboard

async def main():
    try:
        async with asyncio.timeout(0.2):
            await Keyboard().next_line()
    except TimeoutError:
        print("went on")

asyncio.run(main())
"""


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)


def typed(pipe: tuple[int, int], data: bytes) -> Keyboard:
    os.write(pipe[1], data)
    os.close(pipe[1])
    return Keyboard(pipe[0])


def test_lines_come_one_by_one_and_then_nothing(pipe: tuple[int, int]) -> None:
    keyboard = typed(pipe, "eins\n\nzwölf\nno end".encode())
    assert [keyboard.line() for _ in range(6)] == ["eins\n", "\n", "zwölf\n", "no end", "", ""]
    assert not keyboard.is_terminal


async def test_the_first_line_may_be_read_before_the_loop_waits(pipe: tuple[int, int]) -> None:
    keyboard = typed(pipe, b"password\nhello\n")
    assert keyboard.line() == "password\n"
    assert [await keyboard.next_line() for _ in range(2)] == ["hello\n", ""]


def test_waiting_for_a_line_does_not_hold_up_the_end() -> None:
    process = subprocess.Popen([sys.executable, "-c", WAITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.wait(10) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b"went on\n"
    finally:
        process.kill()
        process.communicate()
