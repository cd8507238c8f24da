"""The machine on which the figures were measured. Without it, figures mean little."""

import os
import platform
import sys
from pathlib import Path

import psutil
from msgspec import Struct

from chat_mvp import __version__

_GIB = 1024**3


class Machine(Struct, kw_only=True, frozen=True):
    """The machine, the software, and the file system that the data directories were on."""

    version: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    file_system: str


def this_machine(directory: Path) -> Machine:
    """Describe this machine. ``directory`` is where the data directories are."""
    return Machine(
        version=__version__,
        processor=_processor(),
        cores=len(psutil.Process().cpu_affinity() or []) if sys.platform == "linux" else os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / _GIB, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        file_system=_file_system(directory.resolve()),
    )


def open_files_allowed() -> int:
    """Return how many files a process may open here. Each connection needs one."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # noqa: PLC0415 - not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _file_system(directory: Path) -> str:
    inside = [it for it in psutil.disk_partitions(all=True) if directory.is_relative_to(it.mountpoint)]
    return max(inside, key=lambda it: len(it.mountpoint)).fstype if inside else "unknown"
