import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.mongod.lock import DirectoryLock

HOLDER = """
import sys, time
from pathlib import Path
from chat_mvp.mongod.lock import DirectoryLock
lock = DirectoryLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_gets_the_process_id_of_the_first(tmp_path: Path) -> None:
    first = DirectoryLock.acquire(tmp_path / "server.lock")
    with pytest.raises(StartupError, match=rf"process {os.getpid()}\b") as caught:
        DirectoryLock.acquire(tmp_path / "server.lock")
    assert str(tmp_path) in caught.value.detail
    assert "--data-dir" in caught.value.remedy
    first.release()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    first = DirectoryLock.acquire(tmp_path / "server.lock")
    first.release()
    first.release()
    DirectoryLock.acquire(tmp_path / "server.lock").release()
    assert (tmp_path / "server.lock").read_text() == ""


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StartupError, match=rf"process {holder.pid}\b"):
            DirectoryLock.acquire(path)
        holder.send_signal(signal.SIGKILL)
    DirectoryLock.acquire(path).release()


def test_a_process_id_left_behind_does_not_lock(tmp_path: Path) -> None:
    path = tmp_path / "server.lock"
    path.write_text("4194304999\n")
    lock = DirectoryLock.acquire(path)
    assert path.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_children_do_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = DirectoryLock.acquire(tmp_path / "server.lock")
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        lock.release()
        DirectoryLock.acquire(tmp_path / "server.lock").release()
        child.kill()


def test_a_file_that_cannot_be_written_is_reported() -> None:
    with pytest.raises(StartupError, match="cannot be locked: invalid argument"):
        DirectoryLock.acquire(Path("/dev/full"))


def test_a_directory_in_its_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="cannot be locked: is a directory"):
        DirectoryLock.acquire(tmp_path)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    lock = DirectoryLock.acquire(tmp_path / "server.lock")
    assert stat.S_IMODE((tmp_path / "server.lock").stat().st_mode) == 0o600
    lock.release()
