"""The key and the password of the embedded replica set: made once, kept in files for their owner alone."""

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
"""As whom members of a replica set sign in to each other, with the key."""

_PRIVATE_FILE = 0o600
_PASSWORD_BYTES = 32
_KEY_BYTES = 256
"""Becomes 512 characters, inside the 1,024 that MongoDB allows for a key."""


@dataclass(frozen=True)
class Credentials:
    """The one user of the embedded database, and the key of its replica set. No representation shows a secret."""

    username: str
    password: str = field(repr=False)
    key: str = field(repr=False)

    def uri(self, port: int) -> str:
        """Return the address for drivers, password included, of the embedded replica set on ``port``."""
        return f"mongodb://{self.username}:{quote_plus(self.password)}@{HOST}:{port}/?replicaSet={REPLICA_SET}&authSource=admin"

    def member_uri(self, port: int) -> str:
        """Return the address for drivers that sign in as a member of the set does, and may do everything."""
        options = "directConnection=true&authSource=local&authMechanism=SCRAM-SHA-256"
        return f"mongodb://{MEMBER}:{quote_plus(self.key)}@{HOST}:{port}/?{options}"


def load_or_create(layout: Layout) -> Credentials:
    """Return the credentials in ``layout``. Whichever is missing is made, with its file.

    A file appears complete or not at all, so a start that was killed half-way leaves nothing that blocks the next.
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
