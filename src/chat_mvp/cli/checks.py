"""The checks of ``chat-mvp doctor``. Each checks one thing and says what to do when it is wrong."""

import shutil
import stat
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal

from msgspec import Struct

from chat_mvp.cli.listening import address_of, listen
from chat_mvp.errors import StartupError
from chat_mvp.ops.disk import MINIMUM_FREE_BYTES
from chat_mvp.storage.inspection import Facts

COMFORTABLE_FREE_BYTES = 2 * 1024**3
FEWEST_OPEN_FILES = 4_096
"""Each connection is one open file. Fewer are enough for a small team, but not for a burst of reconnects."""
WORST_CLOCK_S = 1.0
"""A larger difference between clocks makes times in the history and expiry times of tokens look wrong."""
OLDEST_MONGODB = (6, 0)


class Finding(Struct, kw_only=True):
    """The result of one check. ``remedy`` is empty when nothing needs to be done."""

    check: str
    status: Literal["ok", "warning", "problem"]
    detail: str
    remedy: str = ""


def check_data_dir(directory: Path) -> Finding:
    """Return whether only the owner may read the data directory."""
    mode = stat.S_IMODE(directory.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        return Finding(
            check="data directory",
            status="warning",
            detail=f"{directory} is open to other users of this machine (mode {mode:04o}).",
            remedy=f"chmod 700 {directory}",
        )
    return Finding(
        check="data directory", status="ok", detail=f"{directory} is writable, and only its owner may access it."
    )


def check_settings_file(path: Path | None) -> Finding:
    """Return whether only the owner may read the secrets in the settings file. ``None`` when it contains no secret."""
    if path is None:
        return Finding(check="settings file", status="ok", detail="No settings file contains a secret.")
    mode = stat.S_IMODE(path.stat().st_mode)
    if sys.platform != "win32" and mode & 0o077:
        return Finding(
            check="settings file",
            status="warning",
            detail=f"{path} contains a secret and is open to other users of this machine (mode {mode:04o}).",
            remedy=f"chmod 600 {path}",
        )
    return Finding(check="settings file", status="ok", detail=f"{path} can be read only by its owner.")


def check_disk(directory: Path) -> Finding:
    """Return whether the disk has room for new messages."""
    free = shutil.disk_usage(directory).free
    detail = f"{free / 1024**3:.1f} GiB free at {directory}."
    if free < MINIMUM_FREE_BYTES:
        return Finding(
            check="disk", status="problem", detail=detail, remedy="Free some space: the server accepts no messages now."
        )
    if free < COMFORTABLE_FREE_BYTES:
        return Finding(check="disk", status="warning", detail=detail, remedy="Free some space before it runs out.")
    return Finding(check="disk", status="ok", detail=detail)


def check_open_files() -> Finding:
    """Return how many connections the system allows."""
    if sys.platform == "win32":
        return Finding(check="open files", status="ok", detail="This system does not limit them for each process.")
    import resource  # noqa: PLC0415 - not on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return Finding(check="open files", status="ok", detail="No limit.")
    detail = f"At most {hard} in one process, so somewhat fewer connections."
    if hard < FEWEST_OPEN_FILES:
        remedy = "Raise it with ulimit -Hn, LimitNOFILE= of systemd or --ulimit nofile= of docker."
        return Finding(check="open files", status="warning", detail=detail, remedy=remedy)
    return Finding(check="open files", status="ok", detail=detail)


def check_port(host: str, port: int) -> Finding:
    """Return whether the server could listen, or already listens."""
    try:
        listener = listen(host, port)
    except StartupError as error:
        if _is_chat_server(host, port):
            return Finding(check="port", status="ok", detail=f"chat-mvp answers on {host} port {port}.")
        return Finding(check="port", status="problem", detail=error.detail, remedy=error.remedy)
    try:
        return Finding(check="port", status="ok", detail=f"{address_of(listener)} is free.")
    finally:
        listener.close()


def check_database(facts: Facts) -> list[Finding]:
    """Return the findings about a database that answers and accepts writes."""
    findings = [_check_version(facts), _check_indexes(facts), _check_clock(facts)]
    return findings if facts.restore_phase is None else [*findings, _unfinished_restore(facts.restore_phase)]


def _check_version(facts: Facts) -> Finding:
    where = "a sharded cluster" if facts.replica_set is None else f"replica set {facts.replica_set}"
    detail = f"MongoDB {facts.version}, {where}, accepts writes."
    if tuple(int(part) for part in facts.version.split(".")[:2]) < OLDEST_MONGODB:
        return Finding(check="database", status="problem", detail=detail, remedy="Use MongoDB 6.0 or later.")
    return Finding(check="database", status="ok", detail=detail)


def _check_indexes(facts: Facts) -> Finding:
    if facts.empty:
        return Finding(check="indexes", status="ok", detail="The database is empty. The first start builds them.")
    if facts.duplicates:
        return Finding(
            check="indexes",
            status="problem",
            detail=f"Values that must be unique occur twice: {'; '.join(facts.duplicates)}.",
            remedy="A server does not start like this: restore a backup, or remove one document of each pair "
            "after a look at both. Then restart the server: it makes the indexes.",
        )
    if facts.missing_indexes:
        detail = f"Missing: {'; '.join(facts.missing_indexes)}."
        return Finding(check="indexes", status="problem", detail=detail, remedy="Restart the server: it builds them.")
    return Finding(check="indexes", status="ok", detail="All exist.")


def _unfinished_restore(phase: str) -> Finding:
    keep = ", or chat-mvp restore --cancel to keep what was there before" if phase == "loading" else ""
    return Finding(
        check="restore",
        status="problem",
        detail="A restore is in progress or was interrupted. No server starts until it is finished.",
        remedy=f"When none is running, run chat-mvp restore FILE --replace again{keep}.",
    )


def _check_clock(facts: Facts) -> Finding:
    apart = abs(facts.clock_ahead_s)
    detail = f"This machine and the database are {apart * 1000:.0f} ms apart."
    if apart > WORST_CLOCK_S:
        remedy = "Synchronise both by NTP (timedatectl set-ntp true)."
        return Finding(check="clock", status="warning", detail=detail, remedy=remedy)
    return Finding(check="clock", status="ok", detail=detail)


def _is_chat_server(host: str, port: int) -> bool:
    url = f"http://[{host}]:{port}/health/live" if ":" in host else f"http://{host}:{port}/health/live"
    directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with directly.open(url, timeout=2) as answer:
            return b"alive" in answer.read(100)
    except (urllib.error.URLError, OSError, ValueError):
        return False
