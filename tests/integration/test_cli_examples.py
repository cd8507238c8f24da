"""The examples do what they say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import Server, environment

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"


@pytest.mark.parametrize(
    ("program", "example", "said"),
    [
        (sys.executable, "hello.py", "Hello from Python!"),
        (NODE, "hello.mjs", "Hello from JavaScript!"),
    ],
)
def test_an_example(server: Server, program: str, example: str, said: str) -> None:
    done = subprocess.run(
        [program, str(ROOT / "examples" / example), server.origin],
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{said}\n"), done.stderr
