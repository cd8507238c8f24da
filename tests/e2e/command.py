"""Run a command of many processes with a time limit, and leave none of them behind."""

import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

MARK = "CHAT_MVP_TEST_RUN"
"""The variable by which a process tells that a command of ours began it, also when its parent is long gone."""
OBEYS_WITHIN_S = 30.0


class Ended(NamedTuple):
    """How a command ended: with which code, None when its time was over, and all that it and its processes wrote."""

    code: int | None
    output: str


def run_within(
    seconds: float, command: Sequence[str | Path], *, cwd: Path, variables: Mapping[str, str] | None = None
) -> Ended:
    """Run ``command`` to its end, or end it after ``seconds``; whatever it started is gone when this returns or raises.

    Browsers put themselves into a group of their own, so it is the environment that tells who belongs to the command.
    """
    run = secrets.token_hex(8)
    # A file and no pipe: one that outlives the command would keep a pipe open, and us waiting.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=cwd,
            env=os.environ | (variables or {}) | {MARK: run},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_all(run)
            process.wait(OBEYS_WITHIN_S)
        output.seek(0)
        return Ended(code, output.read().decode(errors="replace"))


def _end_all(run: str) -> None:
    """Ask every process of the run to end, and kill those that do not obey, with what they began meanwhile."""
    for send in (psutil.Process.terminate, psutil.Process.kill):
        left = [process for process in psutil.process_iter() if _belongs(process, run)]
        for process in left:
            with suppress(psutil.NoSuchProcess):
                send(process)
        deadline = time.monotonic() + OBEYS_WITHIN_S
        while any(_belongs(process, run) for process in left) and time.monotonic() < deadline:
            time.sleep(0.05)


def _belongs(process: psutil.Process, run: str) -> bool:
    """Whether it runs and is one of the run; a zombie does not count."""
    try:
        return process.environ().get(MARK) == run
    except psutil.Error:
        return False
