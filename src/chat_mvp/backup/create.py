"""Taking a backup of a database that may be in use."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from chat_mvp import __version__
from chat_mvp.backup.archive import ArchiveWriter, split_documents
from chat_mvp.backup.manifest import Manifest
from chat_mvp.backup.progress import Progress
from chat_mvp.errors import StartupError
from chat_mvp.storage.dump import Dump
from chat_mvp.storage.schema import BACKED_UP
from chat_mvp.times import format_time

_PART_BYTES = 8 * 1024 * 1024
"""About as many bytes of documents are held in memory, and compressed together."""


async def create_backup(dump: Dump, path: Path, *, database: str, at: datetime, progress: Progress) -> Manifest:
    """Write everything that ``dump`` shows to a new file at ``path``, for its owner alone, and return its manifest.

    The file appears whole or not at all. ``StartupError`` when it exists, or cannot be written.
    """
    with new_file(path) as file:
        archive = ArchiveWriter(file)
        counts: dict[str, int] = {}
        for collection in BACKED_UP:
            counts[collection] = 0
            progress.begin(collection, dump.facts.estimates[collection])
            async for documents, count in _parts(dump.read(collection)):
                # In a thread, because the event loop also watches over an embedded MongoDB.
                await asyncio.to_thread(archive.add_part, collection, documents, count)
                counts[collection] += count
                progress.advance(count)
        manifest = Manifest(
            chat_mvp_version=__version__,
            mongodb_version=dump.facts.mongodb_version,
            database=database,
            schema_version=dump.facts.schema_version,
            epoch=dump.facts.epoch,
            taken_at=format_time(at),
            collections=counts,
            parts=archive.parts,
        )
        archive.finish(manifest)
    return manifest


async def _parts(batches: AsyncIterator[bytes]) -> AsyncIterator[tuple[bytes, int]]:
    """Yield documents in parts of about ``_PART_BYTES``, each with their number."""
    part, count = bytearray(), 0
    async for batch in batches:
        for document in split_documents(batch):
            part += document
            count += 1
            if len(part) >= _PART_BYTES:
                yield bytes(part), count
                part, count = bytearray(), 0
    if count:
        yield bytes(part), count


def check_new(path: Path) -> None:
    """Raise ``StartupError`` when there is something at ``path``."""
    if path.exists():
        raise StartupError(f"There is a file {path} already.", remedy="Choose another name, or move it away.")


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file of mode 0600 that gets its name at the end of the block, if nothing was raised there."""
    check_new(path)
    try:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from the start
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _give_name(Path(draft), path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            Path(draft).unlink()


def _give_name(draft: Path, path: Path) -> None:
    # A link, unlike a rename, replaces nothing; some file systems have none.
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        draft.replace(path)


def _unwritable(path: Path, error: OSError) -> StartupError:
    reason = (error.strerror or type(error).__name__).lower()
    return StartupError(
        f"The backup {path} cannot be written: {reason}.",
        remedy="Choose another place, in a directory that exists and has room.",
    )
