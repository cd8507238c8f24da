"""The program as a user at a terminal, or a script, uses it."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.server import environment

ENDS_WITHIN_S = 30.0


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def run_program(
    *arguments: str | Path, settings: dict[str, str] | None = None, home: Path | None = None, typed: str = ""
) -> Outcome:
    """Run ``chat-mvp`` with these arguments to its end; ``home`` is where it keeps who is signed in."""
    variables = environment(settings or {})
    if home is not None:
        variables |= {"XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "chat_mvp", *map(str, arguments)],
        env=variables,
        input=typed.encode(),
        capture_output=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def refused(outcome: Outcome) -> str:
    """Check that a command could not start and said so as promised; return the one line it said."""
    assert outcome.code == 2, outcome
    assert outcome.out == "", outcome
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome
    assert lines[0].startswith("chat-mvp: "), outcome
    assert "Traceback" not in outcome.err
    return lines[0]
