"""Keeps mongod's log small, and finds in it why mongod did not start."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

LOG_LIMIT_BYTES = 8 * 1024 * 1024
"""Together with the previous log, about twice this size on disk at most."""

_TAIL_BYTES = 256 * 1024
_REASON_CHARACTERS = 300


def open_for_append(path: Path) -> int:
    """Return a descriptor to the log, created with mode 0600. Output of the loader or a crash goes there too."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def size(path: Path) -> int:
    """Return the size of the log in bytes, or 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def rotate(path: Path, limit: int = LOG_LIMIT_BYTES) -> bool:
    """Move the log aside (``.1``) when it has more than ``limit`` bytes, and return whether it was moved.

    A running mongod continues to write to the old file until it gets SIGUSR1.
    """
    if size(path) <= limit:
        return False
    path.replace(path.with_name(path.name + ".1"))
    return True


def failure(path: Path, offset: int) -> str:
    """Return the last fatal or error line written after ``offset``, shortened. Empty when there is none."""
    reason = ""
    for severity, text in _lines(path, offset):
        if severity == "F" and text:
            return text[:_REASON_CHARACTERS]
        if severity in {"E", ""} and text:
            reason = text
    return reason[:_REASON_CHARACTERS]


def contains(path: Path, offset: int, *needles: str) -> bool:
    """Return whether one of ``needles`` was written after ``offset``."""
    text = _tail(path, offset)
    return any(needle in text for needle in needles)


def _lines(path: Path, offset: int) -> Iterator[tuple[str, str]]:
    for line in _tail(path, offset).splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            # A library that the loader did not find, or an option that mongod does not know. Stars only mark a start.
            if not line.startswith("*"):
                yield "", line.strip()
            continue
        if isinstance(entry, dict):
            attributes = entry.get("attr") or {}
            error = attributes.get("error") or attributes.get("msg") or ""
            if isinstance(error, dict):
                error = error.get("errmsg", "")
            message = str(entry.get("msg") or "").strip()
            yield str(entry.get("s", "")), f"{message}: {str(error).strip()}" if error else message


def _tail(path: Path, offset: int) -> str:
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            # A log that is shorter than before has been rotated meanwhile.
            file.seek(max(offset if offset <= end else 0, end - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
