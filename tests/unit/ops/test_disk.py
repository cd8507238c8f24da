"""Room on the disk: what is near the end is said, and the disk is not asked for every message."""

from pathlib import Path

from chat_mvp.ops.disk import LOOK_EVERY_S, DiskRoom


def test_room_is_room(tmp_path: Path) -> None:
    assert DiskRoom(tmp_path, minimum_free=1)()


def test_no_room_is_said(tmp_path: Path) -> None:
    assert not DiskRoom(tmp_path, minimum_free=1 << 62)()


def test_a_database_elsewhere_has_its_own_disk() -> None:
    assert DiskRoom(None, minimum_free=1 << 62)()


def test_the_disk_is_not_asked_each_time(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    room = DiskRoom(directory, minimum_free=1)
    assert room()
    directory.rmdir()
    assert room()


def test_room_comes_and_goes(tmp_path: Path) -> None:
    now, free = 0.0, 100
    room = DiskRoom(tmp_path, minimum_free=100, free=lambda _: free, clock=lambda: now)
    assert room()
    free = 99
    assert room(), "as of a moment ago"
    now += LOOK_EVERY_S
    assert not room()
    free = 100
    now += LOOK_EVERY_S
    assert room()
