"""``chat-mvp backup``, ``chat-mvp restore`` and ``chat-mvp epoch renew``."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

from chat_mvp.backup.archive import ArchiveReader
from chat_mvp.backup.create import check_new, create_backup
from chat_mvp.backup.restore import check_backup, restore_backup
from chat_mvp.cli.backend import mongo_address, prepare_data_dir, shared_address
from chat_mvp.cli.output import complain, print_line, printable
from chat_mvp.cli.progress import shown_progress
from chat_mvp.errors import StartupError
from chat_mvp.mongod.config import HISTORY_WINDOW_S
from chat_mvp.mongod.epoch_note import write_epoch_note
from chat_mvp.mongod.running import has_database, member_uri
from chat_mvp.ops.disk import MINIMUM_FREE_BYTES
from chat_mvp.ops.logs import configure_logs
from chat_mvp.settings import Settings
from chat_mvp.storage.dump import open_dump, set_history_window
from chat_mvp.storage.load import open_load
from chat_mvp.storage.meta import SCHEMA_VERSION
from chat_mvp.storage.schema import BACKED_UP
from chat_mvp.times import utc_now

EXIT_INTERRUPTED = 130
WINDOW_AHEAD_S = 300
"""How much more history than the backup needs at the moment the embedded MongoDB keeps.

It is raised step by step, so that a killed backup leaves only a small effect: five minutes are mongod's own default.
"""
RAISE_WINDOW_EVERY_S = 60.0

_MIB = 1024 * 1024
_POLITENESS = 10
"""How far a backup lowers its priority below a server on the same machine, see nice(1)."""


def run_backup(settings: Settings, file: Path) -> int:
    """Write a backup to ``file``, or into it if it is a directory, and return the exit code."""
    if sys.platform != "win32":
        os.nice(_POLITENESS)
    path = file / f"chat-mvp-{utc_now():%Y%m%d-%H%M%S}.tar" if file.is_dir() else file
    check_new(path)
    return _run(_back_up(settings, path), "No backup was written.")


def run_restore(settings: Settings, file: Path, *, replace: bool) -> int:
    """Restore a backup and return the exit code."""
    return _run(_restore(settings, file, replace=replace), "The previous data is unchanged.")


def run_cancel(settings: Settings) -> int:
    """Cancel an interrupted restore and return the exit code."""
    return _run(_cancel(settings), "Nothing was changed.")


def run_renew(settings: Settings) -> int:
    """Give the database a new epoch and return the exit code."""
    return _run(_renew(settings), "Nothing was changed.")


def _run(work: Coroutine[None, None, None], when_interrupted: str) -> int:
    configure_logs(shape="console", level="error")
    try:
        asyncio.run(_until_stopped(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        complain(f"Interrupted. {when_interrupted}")
        return EXIT_INTERRUPTED
    return 0


async def _until_stopped(work: Coroutine[None, None, None]) -> None:
    """Do the work, and stop it on SIGTERM as on Ctrl-C, after it has cleaned up."""
    task = asyncio.ensure_future(work)
    if sys.platform != "win32":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


async def _back_up(settings: Settings, path: Path) -> None:
    began, name = time.monotonic(), settings.mongo_database
    async with _history(settings) as uri, open_dump(uri, name) as dump:
        with shown_progress() as progress:
            manifest = await create_backup(dump, path, database=name, at=utc_now(), progress=progress)
    print_line(
        f"Backed up {manifest.count('users'):,} accounts and {manifest.count('messages'):,} messages "
        f"in {time.monotonic() - began:.1f} s to {path} ({manifest.stored_bytes / _MIB:,.1f} MiB)."
    )
    print_line("It contains every message and the hashes of all passwords. Protect it like the database.")


@asynccontextmanager
async def _history(settings: Settings) -> AsyncIterator[str]:
    """Return the URI of the database. An embedded one keeps its history until the end of the context."""
    if settings.mongo_uri is not None:
        yield settings.mongo_uri.get_secret_value()
        return
    if not has_database(settings.data_dir):
        raise StartupError(
            f"There is no database in {settings.data_dir}, so there is nothing to back up.",
            remedy="Name the data directory of the server with --data-dir, or its MongoDB with --mongo-uri.",
        )
    async with shared_address(settings) as address:
        member = member_uri(settings.data_dir)
        await set_history_window(member, WINDOW_AHEAD_S)
        raising = asyncio.create_task(_raise_window(member))
        try:
            yield address.uri
        finally:
            raising.cancel()
            await asyncio.wait({raising})
            # If mongod has ended meanwhile, the next one starts with that value.
            with contextlib.suppress(StartupError):
                await set_history_window(member, HISTORY_WINDOW_S)


async def _raise_window(member: str) -> None:
    began = time.monotonic()
    # If mongod does not answer, the backup itself detects that.
    with contextlib.suppress(StartupError):
        while True:
            await asyncio.sleep(RAISE_WINDOW_EVERY_S)
            await set_history_window(member, round(time.monotonic() - began) + WINDOW_AHEAD_S)


async def _restore(settings: Settings, file: Path, *, replace: bool) -> None:
    began, name = time.monotonic(), settings.mongo_database
    with ArchiveReader(file, schema_version=SCHEMA_VERSION, collections=frozenset(BACKED_UP)) as archive:
        with shown_progress() as progress:
            await check_backup(archive, progress)
        manifest = archive.manifest
        if settings.mongo_uri is None:
            prepare_data_dir(settings.data_dir)
            _check_disk(settings.data_dir, manifest.bytes)
        async with (
            mongo_address(settings) as uri,
            open_load(uri, name, queue_ttl_days=settings.queue_ttl_days) as load,
        ):
            await load.check(replace=replace)
            with shown_progress() as progress:
                epoch = await restore_backup(archive, load, at=utc_now(), progress=progress)
            _note(settings, epoch)
    print_line(
        f"Restored {manifest.count('users'):,} accounts and {manifest.count('messages'):,} messages of "
        f"{printable(manifest.taken_at)} in {time.monotonic() - began:.1f} s. The new epoch is {epoch}."
    )
    print_line("Everyone must sign in again. Clients drop messages that are not in the backup.")


async def _cancel(settings: Settings) -> None:
    async with (
        mongo_address(settings) as uri,
        open_load(uri, settings.mongo_database, queue_ttl_days=settings.queue_ttl_days) as load,
    ):
        await load.check(replace=True)
        cancelled = await load.cancel()
    print_line(
        "The restore is cancelled. The previous data is unchanged." if cancelled else "There was no restore to cancel."
    )


async def _renew(settings: Settings) -> None:
    async with (
        mongo_address(settings) as uri,
        open_load(uri, settings.mongo_database, queue_ttl_days=settings.queue_ttl_days) as load,
    ):
        epoch = await load.renew_epoch()
        _note(settings, epoch)
    print_line(f"The new epoch is {epoch}. Clients drop messages that are not in the database.")


def _note(settings: Settings, epoch: str) -> None:
    if settings.mongo_uri is None:
        write_epoch_note(settings.data_dir, settings.mongo_database, epoch)


def _check_disk(directory: Path, needed: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needed + MINIMUM_FREE_BYTES:
        raise StartupError(
            f"The disk of {directory} has {free // _MIB:,} MiB left, and this restore may need "
            f"{(needed + MINIMUM_FREE_BYTES) // _MIB:,} MiB.",
            remedy="Free some space, or restore to another disk with --data-dir.",
        )
