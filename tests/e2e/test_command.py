"""The time limit ends all processes of a command, and shows its output."""

import sys
from pathlib import Path

import psutil

from tests.e2e.command import run_within

# A process with a session of its own, as browsers have, whose parent has ended before the command does.
LEAVES_ONE_BEHIND = """
import subprocess, sys
starter = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True).pid, flush=True)"
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.run([sys.executable, "-c", starter, *sleeper], check=True)
sys.exit(3)
"""


def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    ended = run_within(600.0, [sys.executable, "-c", LEAVES_ONE_BEHIND], cwd=tmp_path)
    assert ended.code == 3, ended.output
    assert not runs(int(ended.output))


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    ended = run_within(1.0, [sys.executable, "-c", "import time; time.sleep(600)"], cwd=tmp_path)
    assert ended.code is None


def test_output_of_a_command_is_reported_in_order(tmp_path: Path) -> None:
    program = "import os; os.write(1, b'one '); os.write(2, b'two '); os.write(1, os.environb[b'WORD'])"
    ended = run_within(600.0, [sys.executable, "-c", program], cwd=tmp_path, variables={"WORD": "three"})
    assert ended == (0, "one two three")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
