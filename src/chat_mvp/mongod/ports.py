"""Chooses a port on loopback that stays the same at every start."""

import random
import socket
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.mongod.config import HOST
from chat_mvp.mongod.credentials import write_private

_RANGE = range(20_000, 30_000)
"""Below the ports that Linux, macOS and Windows use for outgoing connections, so that none of these occupies it."""
_ATTEMPTS = 200
_HIGHEST = 65_535


def remembered(path: Path) -> int | None:
    """Return the port in the file at ``path``, or ``None`` when there is none in it."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() and 0 < int(text) <= _HIGHEST else None


def remember(path: Path, port: int) -> None:
    """Store ``port`` for the next start."""
    write_private(path, str(port))


def is_free(port: int) -> bool:
    """Return whether a program could listen on ``port`` of loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Like mongod, treat a port as free if its last connections are only in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(preferred: int | None, *, avoid: int | None = None) -> int:
    """Return ``preferred`` when it is free, or else another free port, but never ``avoid``."""
    if preferred is not None and preferred != avoid and is_free(preferred):
        return preferred
    for port in random.sample(_RANGE, _ATTEMPTS):
        if port != avoid and is_free(port):
            return port
    raise StartupError(
        f"No free port was found for the database on {HOST}.",
        remedy="Check which programs listen there, or give a running MongoDB with --mongo-uri.",
    )
