"""The archive: writing one from start to end, and reading one that may come from anywhere.

Nothing is ever extracted, so names lead nowhere. Every size is checked before as many bytes are read or decompressed.
"""

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import msgspec

from chat_mvp.backup.manifest import (
    MANIFEST_NAME,
    NOTE,
    NOTE_NAME,
    Manifest,
    Part,
    damaged,
    decode_manifest,
    foreign,
    part_name,
)
from chat_mvp.errors import StartupError
from chat_mvp.limits import MAX_BACKUP_MANIFEST_BYTES, MAX_BACKUP_PART_BYTES, MAX_BACKUP_PARTS

_BLOCK = tarfile.BLOCKSIZE
_GZIP = 16 + zlib.MAX_WBITS
_LENGTH_BYTES = 4
_SHORTEST_DOCUMENT = 5
_COMPRESSION_LEVEL = 5
"""On messages 6 takes half as long again and saves two bytes in a hundred."""


class ArchiveWriter:
    """Writes one archive to an open file, part by part."""

    def __init__(self, file: BinaryIO) -> None:
        """Write to ``file`` from its beginning."""
        self.parts: list[Part] = []
        self._file = file
        self._numbers: dict[str, int] = {}
        self._add(NOTE_NAME, NOTE.encode())

    def add_part(self, collection: str, documents: bytes, count: int) -> Part:
        """Write ``count`` documents of a collection. It takes a while: compressing is most of a backup's work."""
        self._numbers[collection] = number = self._numbers.get(collection, 0) + 1
        stored = gzip.compress(documents, _COMPRESSION_LEVEL, mtime=0)
        part = Part(
            name=part_name(collection, number),
            documents=count,
            bytes=len(documents),
            stored_bytes=len(stored),
            sha256=hashlib.sha256(stored).hexdigest(),
        )
        self._add(part.name, stored)
        self.parts.append(part)
        if len(self.parts) > MAX_BACKUP_PARTS:
            raise _too_large()
        return part

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end of the archive."""
        content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        if len(content) > MAX_BACKUP_MANIFEST_BYTES:
            raise _too_large()
        self._add(MANIFEST_NAME, content)
        self._file.write(bytes(2 * _BLOCK))

    def _add(self, name: str, content: bytes) -> None:
        header = tarfile.TarInfo(name)
        header.size, header.mode = len(content), 0o600
        self._file.write(header.tobuf(tarfile.USTAR_FORMAT))
        self._file.write(content)
        self._file.write(bytes(-len(content) % _BLOCK))


class _Member(NamedTuple):
    name: str
    offset: int
    size: int


class ArchiveReader:
    """A backup whose manifest is known and fits its members. The content of parts is checked as they are read."""

    def __init__(self, path: Path, *, schema_version: int, collections: frozenset[str]) -> None:
        """Open the backup at ``path``. ``StartupError`` when it is none, is damaged or is newer than this program."""
        self.path = path
        self._file = _open(path)
        try:
            members = _members(self._file, path)
            self.manifest = self._read_manifest(members.pop(), schema_version, collections)
        except BaseException:
            self._file.close()
            raise
        self._offsets = [member.offset for member in members]
        expected = [(part.name, part.stored_bytes) for part in self.manifest.parts]
        if [(member.name, member.size) for member in members] != expected:
            self._file.close()
            raise damaged(path, "its parts are not those of its manifest")

    def __enter__(self) -> Self:
        """Keep the file open until the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def documents(self, number: int) -> list[bytes]:
        """Return the documents of the part at this place of the manifest. ``StartupError`` when it is damaged."""
        part = self.manifest.parts[number]
        if max(part.bytes, part.stored_bytes) > MAX_BACKUP_PART_BYTES:
            raise damaged(self.path, f"{part.name} is too long")
        stored = self._read(self._offsets[number], part.stored_bytes)
        if hashlib.sha256(stored).hexdigest() != part.sha256:
            raise damaged(self.path, f"{part.name} does not have the hash that its manifest names")
        documents = _split(_decompress(stored, part.bytes))
        if documents is None or len(documents) != part.documents:
            raise damaged(self.path, f"{part.name} does not hold what its manifest names")
        return documents

    def _read_manifest(self, last: _Member, schema_version: int, collections: frozenset[str]) -> Manifest:
        if last.name != MANIFEST_NAME:
            raise damaged(self.path, "it is cut short, its manifest is missing")
        if last.size > MAX_BACKUP_MANIFEST_BYTES:
            raise damaged(self.path, "its manifest is too long")
        content = self._read(last.offset, last.size)
        return decode_manifest(content, self.path, schema_version=schema_version, collections=collections)

    def _read(self, offset: int, size: int) -> bytes:
        try:
            self._file.seek(offset)
            content = self._file.read(size)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if len(content) != size:
            raise damaged(self.path, "it is cut short")
        return content


def split_documents(batch: bytes) -> Iterator[bytes]:
    """Yield the documents that stand one behind the other in ``batch``; ``ValueError`` where that is not so."""
    view, start = memoryview(batch), 0
    while start < len(batch):
        length = int.from_bytes(view[start : start + _LENGTH_BYTES], "little", signed=True)
        end = start + length
        if length < _SHORTEST_DOCUMENT or end > len(batch) or batch[end - 1] != 0:
            raise ValueError("these bytes are no documents")
        yield batch[start:end]
        start = end


def _split(batch: bytes | None) -> list[bytes] | None:
    try:
        return None if batch is None else list(split_documents(batch))
    except ValueError:
        return None


def _decompress(stored: bytes, size: int) -> bytes | None:
    """Return the ``size`` bytes that are compressed here, and ``None`` where they are not so many."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        # One more than there should be, so that more than that shows without being decompressed.
        content = decompressor.decompress(stored, size + 1)
    except zlib.error:
        return None
    is_whole = decompressor.eof and not decompressor.unused_data
    return content if is_whole and len(content) == size else None


def _open(path: Path) -> BinaryIO:
    try:
        if not path.is_file():
            raise _unreadable(path, None)
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _members(file: BinaryIO, path: Path) -> list[_Member]:
    """Return every member behind the note, by its header alone."""
    try:
        return _walk(file, path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _walk(file: BinaryIO, path: Path) -> list[_Member]:
    end = path.stat().st_size
    members: list[_Member] = []
    offset, is_first = 0, True
    while True:
        file.seek(offset)
        block = file.read(_BLOCK)
        if not is_first and block == bytes(_BLOCK):
            break
        header = _header(block)
        if is_first and (header is None or header.name != NOTE_NAME):
            raise foreign(path)
        if header is None or not header.isreg():
            raise damaged(path, "it is cut short" if len(block) < _BLOCK else "it holds what no backup holds")
        offset += _BLOCK
        if not 0 <= header.size <= end - offset:
            raise damaged(path, "it is cut short")
        if not is_first:
            members.append(_Member(header.name, offset, header.size))
        if len(members) > MAX_BACKUP_PARTS + 1:
            raise damaged(path, "it has too many parts")
        offset += header.size + -header.size % _BLOCK
        is_first = False
    # Two blocks of zeros end an archive; other programs fill it up to a record.
    rest = file.read(tarfile.RECORDSIZE + 1)
    if not members or not _BLOCK <= len(rest) <= tarfile.RECORDSIZE or any(rest):
        raise damaged(path, "its end is not where it should be")
    return members


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        return tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, ValueError):
        return None


def _unreadable(path: Path, error: OSError | None) -> StartupError:
    reason = "it is not a file" if error is None and path.exists() else "there is no such file"
    if error is not None:
        reason = (error.strerror or type(error).__name__).lower()
    return StartupError(f"The backup {path} cannot be read: {reason}.", remedy="Give the path of a backup.")


def _too_large() -> StartupError:
    return StartupError(
        "The database is too large for chat-mvp backup.", remedy="Use mongodump or a snapshot of the disk instead."
    )
