"""Finds a mongod that can be started."""

import asyncio
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chat_mvp.errors import StartupError

MINIMUM_VERSION = (6, 0)

_LOG = logging.getLogger(__name__)
_VERSION_SECONDS = 10.0
_IN_WHEEL = Path("fiftyone", "db", "bin", "mongod.exe" if sys.platform == "win32" else "mongod")


@dataclass(frozen=True)
class Mongod:
    """A mongod program and its origin: ``"path"`` or ``"wheel"``."""

    program: Path
    origin: str


async def find_mongod(*, search_path: str | None = None, packages: Sequence[str] | None = None) -> Mongod:
    """Return the mongod to start: the one on PATH, or else the one that was installed with chat-mvp.

    A mongod on PATH that does not run here, or is older than 6.0, is ignored with a warning. ``search_path`` and
    ``packages`` replace the environment's PATH and ``sys.path``. Raises StartupError when there is none.
    """
    ignored = ""
    found = shutil.which("mongod", path=search_path)
    if found is not None:
        problem = await _problem(found)
        if problem is None:
            return Mongod(Path(found), "path")
        ignored = f" {found} exists, but {problem}."
        _LOG.warning("Ignoring %s: %s.", found, problem)
    for entry in sys.path if packages is None else packages:
        program = Path(entry or ".") / _IN_WHEEL
        if program.is_file():
            return Mongod(program, "wheel")
    raise StartupError(
        f"No MongoDB was found: no mongod on PATH and none installed with chat-mvp.{ignored}",
        remedy=(
            "Start one with `docker compose up`, give the address of one with --mongo-uri, "
            "or install MongoDB 6.0 or later so that mongod is on PATH."
        ),
    )


async def _problem(program: str) -> str | None:
    """Return a short reason why ``program`` cannot be used, or ``None``."""
    try:
        process = await asyncio.create_subprocess_exec(
            program, "--version", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        return f"it does not run here ({(error.strerror or 'unknown reason').lower()})"
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _VERSION_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return "it does not say its version"
    match = re.search(rb"db version v(\d+)\.(\d+)", output)
    if process.returncode != 0 or match is None:
        return "it does not run here"
    if (int(match[1]), int(match[2])) < MINIMUM_VERSION:
        return f"it is MongoDB {match[1].decode()}.{match[2].decode()} and 6.0 or later is needed"
    return None
