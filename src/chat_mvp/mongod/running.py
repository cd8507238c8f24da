"""Finds the replica set of a server that is already running."""

import contextlib
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.mongod import credentials, ports
from chat_mvp.mongod.layout import Layout, prepare
from chat_mvp.mongod.lock import DirectoryLock


def running_uri(data_dir: Path) -> str | None:
    """Return the URI, with credentials, of the replica set that another process runs in ``data_dir``, or ``None``.

    Raises StartupError when the directory cannot be used.
    """
    layout = prepare(data_dir)
    if not _is_locked(layout):
        return None
    port = ports.remembered(layout.port_file)
    if port is None:
        return None
    return credentials.load_or_create(layout).uri(port)


def _is_locked(layout: Layout) -> bool:
    with contextlib.suppress(StartupError):
        DirectoryLock.acquire(layout.lock_file).release()
        return False
    return True


def member_uri(data_dir: Path) -> str:
    """Return the URI of the replica set in ``data_dir`` for one of its members, who may set its parameters."""
    layout = Layout(data_dir)
    return credentials.load_or_create(layout).member_uri(ports.remembered(layout.port_file) or 0)


def has_database(data_dir: Path) -> bool:
    """Return whether a replica set was ever started in ``data_dir``, as far as this user can see."""
    try:
        return (Layout(data_dir).db_dir / "WiredTiger").exists()
    except OSError:
        return False
