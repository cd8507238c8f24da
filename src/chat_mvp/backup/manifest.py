"""The manifest: what a backup holds, written last and read first."""

import re
from pathlib import Path

import msgspec
from msgspec import Struct

from chat_mvp.errors import StartupError

FORMAT = "chat-mvp backup"
FORMAT_VERSION = 1
MANIFEST_NAME = "manifest.json"
NOTE_NAME = "chat-mvp-backup.txt"
NOTE = """\
This is a backup of a chat-mvp database. It holds every account, with the hash of its password, and every message.
Keep it as safe as the database itself. Restore it with: chat-mvp restore FILE
"""

_PART_NAME = re.compile(r"([a-z_]{1,40})/(\d{6})\.bson\.gz")


class Part(Struct, frozen=True, kw_only=True):
    """One part: its documents, their bytes, and the compressed bytes with their SHA-256."""

    name: str
    documents: int
    bytes: int
    stored_bytes: int
    sha256: str

    @property
    def collection(self) -> str:
        """The collection that its documents belong to."""
        return self.name.partition("/")[0]


class Manifest(Struct, kw_only=True):
    """What a backup holds, and where it came from."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    chat_mvp_version: str
    mongodb_version: str
    database: str
    schema_version: int
    epoch: str
    taken_at: str
    collections: dict[str, int]
    """How many documents each collection has."""
    parts: list[Part]

    def count(self, collection: str) -> int:
        """Return how many documents a collection has; none, if the backup is older than the collection."""
        return self.collections.get(collection, 0)

    @property
    def bytes(self) -> int:
        """How many bytes all documents have."""
        return sum(part.bytes for part in self.parts)

    @property
    def stored_bytes(self) -> int:
        """How many bytes all documents have in the backup."""
        return sum(part.stored_bytes for part in self.parts)


class _Versions(Struct):
    format: str
    format_version: int
    schema_version: int


def part_name(collection: str, number: int) -> str:
    """Return the name of a part; numbers count from 1 in each collection."""
    return f"{collection}/{number:06d}.bson.gz"


def decode_manifest(content: bytes, file: Path, *, schema_version: int, collections: frozenset[str]) -> Manifest:
    """Return the manifest of ``file``. ``StartupError`` when it is newer than this program, or makes no sense.

    ``schema_version`` and ``collections`` are those that this program knows.
    """
    try:
        versions = msgspec.json.decode(content, type=_Versions)
        if versions.format != FORMAT:
            raise foreign(file)
        if versions.format_version > FORMAT_VERSION or versions.schema_version > schema_version:
            raise StartupError(
                f"The backup {file} was made by a newer chat-mvp (schema version {versions.schema_version}, "
                f"this program knows {schema_version}).",
                remedy="Restore it with the version that made it, or a later one.",
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise damaged(file, "its manifest cannot be read") from None
    _check(manifest, file, collections)
    return manifest


def _check(manifest: Manifest, file: Path, collections: frozenset[str]) -> None:
    if manifest.format_version < 1 or manifest.schema_version < 1 or not manifest.collections.keys() <= collections:
        # One that is missing came with a later version.
        raise damaged(file, "its manifest names other collections than a backup has")
    counted = dict.fromkeys(manifest.collections, 0)
    numbers = dict.fromkeys(manifest.collections, 0)
    for part in manifest.parts:
        named = _PART_NAME.fullmatch(part.name)
        if named is None or named[1] not in counted:
            raise damaged(file, "its manifest names a part that no backup has")
        numbers[named[1]] += 1
        if int(named[2]) != numbers[named[1]] or min(part.documents, part.bytes, part.stored_bytes) < 1:
            raise damaged(file, "its manifest does not fit together")
        counted[named[1]] += part.documents
    if counted != manifest.collections:
        raise damaged(file, "its manifest does not fit together")


def damaged(file: Path, reason: str) -> StartupError:
    """Return the refusal of a backup that is not as it was written."""
    return StartupError(f"The backup {file} is damaged: {reason}.", remedy="Use another copy of it, or another backup.")


def foreign(file: Path) -> StartupError:
    """Return the refusal of a file that is something else."""
    return StartupError(f"{file} is not a backup of chat-mvp.", remedy="Give a file that chat-mvp backup has written.")
