"""Putting a backup back: everything is checked before anything is changed, and put in its place at once."""

import asyncio
import contextlib
from datetime import datetime

from chat_mvp.backup.archive import ArchiveReader
from chat_mvp.backup.manifest import damaged
from chat_mvp.backup.progress import Progress
from chat_mvp.errors import StartupError
from chat_mvp.storage.load import Load
from chat_mvp.storage.schema import BACKED_UP
from chat_mvp.storage.shapes import wrong_field


async def check_backup(archive: ArchiveReader, progress: Progress) -> None:
    """Read every part and compare it with the manifest, and every document with what a server stores.

    ``StartupError`` for the first that is damaged.
    """
    progress.begin("checking", sum(archive.manifest.collections.values()))
    for number, part in enumerate(archive.manifest.parts):
        await asyncio.to_thread(_check_part, archive, number)
        progress.advance(part.documents)


def _check_part(archive: ArchiveReader, number: int) -> None:
    part = archive.manifest.parts[number]
    for index, document in enumerate(archive.documents(number)):
        field = wrong_field(part.collection, document)
        if field is not None:
            raise damaged(archive.path, f"{field} of document {index + 1} in {part.name} is not as a server stores it")


async def restore_backup(archive: ArchiveReader, load: Load, *, at: datetime, progress: Progress) -> str:
    """Load a backup that was checked, put it in the place of what was there, and return the new epoch.

    ``StartupError``, with what was there before as it was, unless everything has been loaded and indexed.
    """
    await load.begin(at)
    try:
        await _load(archive, load, progress)
    except BaseException:
        # Also when it is interrupted: servers may then start as before. Where the database does not answer any more,
        # the reason for that is what to tell, and servers say themselves what is left to do.
        with contextlib.suppress(StartupError):
            await asyncio.shield(load.cancel())
        raise
    # Not to be interrupted half-way: it takes a moment.
    finishing = asyncio.create_task(load.finish(at, schema_version=archive.manifest.schema_version))
    try:
        return await asyncio.shield(finishing)
    except asyncio.CancelledError:
        await finishing
        raise


async def _load(archive: ArchiveReader, load: Load, progress: Progress) -> None:
    parts = archive.manifest.parts
    for collection in BACKED_UP:
        progress.begin(collection, archive.manifest.count(collection))
        for number, part in enumerate(parts):
            if part.collection == collection:
                await load.insert(collection, await asyncio.to_thread(archive.documents, number))
                progress.advance(part.documents)
        progress.begin(f"indexes of {collection}", 0)
        await load.make_indexes(collection)
