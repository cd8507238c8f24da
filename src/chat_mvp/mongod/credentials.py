"""The key and the password of the embedded replica set, created once and kept in files that only the owner can read."""

import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_plus

from chat_mvp.mongod.config import HOST, REPLICA_SET
from chat_mvp.mongod.layout import Layout

USERNAME = "chat_mvp"
MEMBER = "__system"
"""The user as which members of a replica set sign in to each other, with the key."""

_PRIVATE_FILE = 0o600
_PASSWORD_BYTES = 32
_KEY_BYTES = 256
"""Becomes 512 characters. MongoDB allows at most 1,024 for a key."""


@dataclass(frozen=True)
class Credentials:
    """The only user of the embedded database, and the key of its replica set. ``repr`` shows no secret."""

    username: str
    password: str = field(repr=False)
    key: str = field(repr=False)

    def uri(self, port: int) -> str:
        """Return the URI, with the password, of the embedded replica set on ``port``."""
        return f"mongodb://{self.username}:{quote_plus(self.password)}@{HOST}:{port}/?replicaSet={REPLICA_SET}&authSource=admin"

    def member_uri(self, port: int) -> str:
        """Return the URI with which a driver signs in as a member of the set, with all rights."""
        options = "directConnection=true&authSource=local&authMechanism=SCRAM-SHA-256"
        return f"mongodb://{MEMBER}:{quote_plus(self.key)}@{HOST}:{port}/?{options}"


def load_or_create(layout: Layout) -> Credentials:
    """Return the credentials in ``layout``, and create missing ones with their files.

    A file is written completely or not at all, so a start that is killed half-way does not block the next one.
    """
    return Credentials(
        username=USERNAME,
        password=_read_or_create(layout.password_file, secrets.token_urlsafe(_PASSWORD_BYTES)),
        key=_read_or_create(layout.key_file, secrets.token_hex(_KEY_BYTES)),
    )


def _read_or_create(path: Path, fresh: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        text = ""
    if not text:
        write_private(path, fresh)
        return fresh
    path.chmod(_PRIVATE_FILE)
    return text


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to the file at ``path`` with mode 0600, atomically and durably."""
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
