"""A file beside the embedded database that names the database created there, so that an emptied one is detected.

Without it, the server would create a new ``mongod/db`` in place of a lost or emptied one, and start without data.
"""

import logging
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.mongod.credentials import write_private

NOTE_NAME = "database-epoch"

_LOG = logging.getLogger(__name__)


def write_epoch_note(data_dir: Path, database: str, epoch: str) -> None:
    """Store that this database has been created in ``data_dir``."""
    content = f"{database} {epoch}\n"
    path = data_dir / NOTE_NAME
    if _read(path) != content.split():
        write_private(path, content)


def check_never_made(data_dir: Path, database: str, signing_keys: Path) -> None:
    """Raise ``StartupError`` when this database was created in ``data_dir`` before.

    If only the file ``signing_keys`` shows that a server has run there, with this or another database, that is logged.
    """
    note = data_dir / NOTE_NAME
    words = _read(note)
    if words and words[0] == database:
        raise StartupError(
            f"The database in {data_dir} is empty, although a server has stored messages there.",
            remedy=f"Put {data_dir / 'mongod' / 'db'} back, or run chat-mvp restore with a backup; "
            f"to start with nothing, delete {note}.",
        )
    if signing_keys.exists():
        _LOG.warning(
            "The database in %s is empty and is created now, although a server has run there before.", data_dir
        )


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except (FileNotFoundError, UnicodeDecodeError):
        return []
