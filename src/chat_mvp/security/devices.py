"""Marks of devices that have signed in to an account. They distinguish its owner from others at the same address.

A mark is 45 bytes in URL-safe base64: the account's id (12), a random number (17) and a tag (16) that proves that this
server made it. 45 bytes need no padding, because browsers put a cookie with "=" into quotes. Nothing is stored. A mark
gives no access: its holder may try a few passwords, as from an address that is known for the account.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from msgspec import Struct

from chat_mvp.security.keys import SigningKey

_ACCOUNT_BYTES = 12
_NUMBER_BYTES = 17
_TAG_BYTES = 16
MARK_CHARS = (_ACCOUNT_BYTES + _NUMBER_BYTES + _TAG_BYTES + 2) // 3 * 4


class DeviceMark(Struct, frozen=True):
    """The account to which a device has signed in, and the number of the device."""

    user_id: str
    number: str


class DeviceMarks:
    """Creates and reads marks."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        """Sign marks with these keys, the newest first."""
        self._keys = [hmac.digest(key.secret, b"device mark", hashlib.sha256) for key in keys]

    def issue(self, user_id: str) -> str:
        """Return a new mark for a device that has signed in to this account."""
        content = bytes.fromhex(user_id) + secrets.token_bytes(_NUMBER_BYTES)
        return urlsafe_b64encode(content + _tag(self._keys[0], content)).decode()

    def read(self, mark: str | None) -> DeviceMark | None:
        """Return the content of a mark, or ``None`` if this server has not made it."""
        if mark is None or len(mark) != MARK_CHARS:
            return None
        try:
            raw = urlsafe_b64decode(mark.encode("ascii"))
        except ValueError:
            return None
        content, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if len(content) != _ACCOUNT_BYTES + _NUMBER_BYTES:
            return None
        if not any(hmac.compare_digest(tag, _tag(key, content)) for key in self._keys):
            return None
        return DeviceMark(content[:_ACCOUNT_BYTES].hex(), content[_ACCOUNT_BYTES:].hex())


def _tag(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, hashlib.sha256)[:_TAG_BYTES]
