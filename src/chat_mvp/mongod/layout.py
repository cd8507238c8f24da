"""The files of the embedded replica set, and whether their directory can be used."""

import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from chat_mvp.errors import StartupError

MINIMUM_FREE_BYTES = 256 * 1024 * 1024
"""The journal takes 100 MiB at once, and mongod aborts when the disk is full. With less it would soon stop."""

_PRIVATE_DIRECTORY = 0o700


@dataclass(frozen=True)
class Layout:
    """The files below one data directory. Only the owner may read them (directories 0700, files 0600)."""

    data_dir: Path

    @property
    def lock_file(self) -> Path:
        """The file that the server locks while it uses this directory. It contains the server's process id."""
        return self.data_dir / "server.lock"

    @property
    def log_file(self) -> Path:
        """The log of mongod. The previous one is kept with the suffix ``.1``."""
        return self.data_dir / "mongod.log"

    @property
    def private_dir(self) -> Path:
        """Configuration, secrets and database files."""
        return self.data_dir / "mongod"

    @property
    def db_dir(self) -> Path:
        """The files that mongod itself writes."""
        return self.private_dir / "db"

    @property
    def config_file(self) -> Path:
        """The configuration file with which mongod is started."""
        return self.private_dir / "mongod.conf"

    @property
    def key_file(self) -> Path:
        """The key of the replica set. It switches authentication on."""
        return self.private_dir / "keyfile"

    @property
    def password_file(self) -> Path:
        """The password of the one database user."""
        return self.private_dir / "password"

    @property
    def port_file(self) -> Path:
        """The port that was used last, so that the address stays the same at every start."""
        return self.private_dir / "port"


def prepare(data_dir: Path) -> Layout:
    """Create missing directories, and return the layout with absolute paths.

    Raises StartupError when the directory cannot be created or written.
    """
    layout = Layout(data_dir.expanduser().absolute())
    remedy = "Choose a directory that you may write to with --data-dir, or give a running MongoDB with --mongo-uri."
    try:
        layout.data_dir.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        # A directory that already contains other files keeps its mode: closing /tmp for everyone would be worse.
        if not any(layout.data_dir.iterdir()) or layout.private_dir.is_dir():
            _close_to_others(layout.data_dir)
        for directory in (layout.private_dir, layout.db_dir):
            directory.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
            _close_to_others(directory)
        # Test by writing: os.access gives wrong answers on read-only and network file systems.
        with tempfile.TemporaryFile(dir=layout.db_dir):
            pass
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise StartupError(f"The data directory {layout.data_dir} cannot be used: {reason}.", remedy=remedy) from error
    return layout


def check_free_space(directory: Path, minimum: int = MINIMUM_FREE_BYTES) -> None:
    """Raise StartupError when the file system of ``directory`` has fewer than ``minimum`` free bytes."""
    free = shutil.disk_usage(directory).free
    if free < minimum:
        free_mib, needed_mib = free // 2**20, minimum // 2**20
        raise StartupError(
            f"The disk of {directory} has {free_mib} MiB left and the database needs {needed_mib} MiB to start.",
            remedy="Free some space, or choose another disk with --data-dir.",
        )


def _close_to_others(directory: Path) -> None:
    if stat.S_IMODE(directory.stat().st_mode) != _PRIVATE_DIRECTORY:
        directory.chmod(_PRIVATE_DIRECTORY)
