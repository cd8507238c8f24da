"""The key and the password of the embedded replica set: made once, kept in files for their owner alone."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from chat_mvp.mongod.layout import Layout

USERNAME = "chat_mvp"

_PRIVATE_FILE = 0o600
_KEY_BYTES = 567
"""Becomes 756 characters, inside the 1,024 that MongoDB allows for a key."""


@dataclass(frozen=True)
class Credentials:
    """The one user of the embedded database. The password appears in no representation of it."""

    username: str
    password: str = field(repr=False)


def load_or_create(layout: Layout) -> Credentials:
    """Return the credentials in ``layout``, made with their files when there are none yet.

    A file appears complete or not at all, so a start that was killed half-way leaves nothing that blocks the next.
    """
    if not _read(layout.key_file):
        write_private(layout.key_file, secrets.token_urlsafe(_KEY_BYTES).replace("-", "+").replace("_", "/"))
    password = _read(layout.password_file)
    if not password:
        password = secrets.token_urlsafe(32)
        write_private(layout.password_file, password)
    for path in (layout.key_file, layout.password_file):
        path.chmod(_PRIVATE_FILE)
    return Credentials(USERNAME, password)


def write_private(path: Path, text: str) -> None:
    """Put ``text`` into the file at ``path`` with mode 0600, in one step and safely on disk."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from the start
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
