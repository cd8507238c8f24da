"""Free disk space: a nearly full disk is reported, and the disk is not checked for every message."""

from pathlib import Path

import pytest

from chat_mvp.errors import UnavailableError
from chat_mvp.ops.disk import LOOK_EVERY_S, DiskRoom


def has_room(room: DiskRoom) -> bool:
    try:
        room.check()
    except UnavailableError:
        return False
    return True


def test_the_refusal_says_what_is_wrong_and_when_to_retry(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="disk is nearly full") as caught:
        DiskRoom(tmp_path, minimum_free=1 << 62).check()
    assert caught.value.retry_after_ms


def test_room_is_room(tmp_path: Path) -> None:
    assert has_room(DiskRoom(tmp_path, minimum_free=1))


def test_too_little_space_is_reported(tmp_path: Path) -> None:
    assert not has_room(DiskRoom(tmp_path, minimum_free=1 << 62))


def test_a_database_elsewhere_has_its_own_disk() -> None:
    assert has_room(DiskRoom(None, minimum_free=1 << 62))


def test_the_disk_is_not_asked_each_time(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    room = DiskRoom(directory, minimum_free=1)
    assert has_room(room)
    directory.rmdir()
    assert has_room(room)


def test_room_comes_and_goes(tmp_path: Path) -> None:
    now, free = 0.0, 100
    room = DiskRoom(tmp_path, minimum_free=100, free=lambda _: free, clock=lambda: now)
    assert has_room(room)
    free = 99
    assert has_room(room), "as of a moment ago"
    now += LOOK_EVERY_S
    assert not has_room(room)
    free = 100
    now += LOOK_EVERY_S
    assert has_room(room)
