"""The keys that sign tokens: created at the first start, kept in one file, rotated by adding a newer one.

The file is JSON, ``{"keys": [{"id": …, "secret": …}, …]}``, the newest first. The first key signs, and every key
verifies. To rotate, add a new key at the front, and remove the old one when its tokens have expired.
"""

import hashlib
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import msgspec

from chat_mvp.errors import StartupError

FILE_NAME = "signing-keys.json"
SECRET_BYTES = 64
MIN_SECRET_BYTES = 32
"""As long as the output of SHA-256, which RFC 7518 section 3.2 requires of an HS256 key."""


class SigningKey(msgspec.Struct, frozen=True):
    """One key. ``id`` is in the header of signed tokens and reveals nothing about ``secret``."""

    id: str
    secret: bytes


class _StoredKey(msgspec.Struct):
    id: str
    secret: str


class _KeyFile(msgspec.Struct):
    keys: list[_StoredKey]


def load_signing_keys(data_dir: Path, jwt_secret: str | None) -> tuple[SigningKey, ...]:
    """Return the keys of this server, the signing one first.

    ``jwt_secret``, when set, is the only key, and no file is read or created. Otherwise the keys of ``data_dir`` are
    returned. If there is none, a first one is created (mode 0600, written completely or not at all). Several processes
    that start at once get the same key. ``StartupError`` for a secret under 32 bytes, and for a directory or file that
    cannot be used.
    """
    if jwt_secret is not None:
        return (_key_of_setting(jwt_secret),)
    path = data_dir / FILE_NAME
    try:
        if not path.exists():
            _make_key_file(path)
        path.chmod(0o600)
        content = path.read_bytes()
    except OSError as error:
        raise StartupError(
            f"The key file {path} cannot be created or read ({type(error).__name__}).",
            remedy="Choose a data directory that this user may write with --data-dir.",
        ) from error
    return _decode(content, path)


def _key_of_setting(jwt_secret: str) -> SigningKey:
    secret = jwt_secret.encode()
    if len(secret) < MIN_SECRET_BYTES:
        raise StartupError(
            "The setting JWT_SECRET is too short to be safe.",
            remedy=f"Make it {MIN_SECRET_BYTES} characters or more, or leave it out to create one at the first start.",
        )
    return SigningKey(hashlib.sha256(b"key id" + secret).hexdigest()[:16], secret)


def _make_key_file(path: Path) -> None:
    secret = urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    content = msgspec.json.encode(_KeyFile([_StoredKey(secrets.token_hex(8), secret)]))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, fails when another process was first. Then the key of that process is used.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink(missing_ok=True)


def _decode(content: bytes, path: Path) -> tuple[SigningKey, ...]:
    try:
        stored = msgspec.json.decode(content, type=_KeyFile).keys
        keys = tuple(SigningKey(key.id, urlsafe_b64decode(key.secret)) for key in stored)
    except (msgspec.DecodeError, ValueError):
        keys = ()
    if not keys or any(len(key.secret) < MIN_SECRET_BYTES for key in keys):
        raise StartupError(
            f"The key file {path} is damaged.",
            remedy="Restore it from a backup, or delete it. Then everyone must sign in again.",
        )
    return keys
