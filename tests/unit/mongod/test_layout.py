import stat
from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.mongod.layout import check_free_space, prepare


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    layout = prepare(tmp_path / "a" / "b")
    assert [mode(path) for path in (layout.data_dir, layout.private_dir, layout.db_dir)] == [0o700] * 3


def test_an_empty_directory_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    assert mode(prepare(data).data_dir) == 0o700


def test_a_directory_that_others_use_keeps_its_mode_and_what_is_secret_is_closed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "theirs").touch()
    layout = prepare(shared)
    assert mode(shared) == 0o1777
    assert mode(layout.private_dir) == 0o700


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    first = prepare(tmp_path / "data")
    (first.db_dir / "kept").touch()
    assert prepare(tmp_path / "data") == first
    assert (first.db_dir / "kept").exists()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StartupError, match="cannot be used: file exists") as caught:
        prepare(tmp_path / "data")
    assert "--data-dir" in caught.value.remedy


def test_a_directory_that_is_not_writable_is_refused() -> None:
    # /proc holds for root too, who may write anywhere else.
    with pytest.raises(StartupError, match=r"The data directory /proc/chat-mvp cannot be used"):
        prepare(Path("/proc/chat-mvp"))


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="cannot be used: not a directory"):
        prepare(tmp_path / "file" / "data")


def test_a_full_disk_is_refused_before_mongod_meets_it(tmp_path: Path) -> None:
    check_free_space(tmp_path, minimum=1)
    with pytest.raises(StartupError, match=r"has \d+ MiB left") as caught:
        check_free_space(tmp_path, minimum=2**60)
    assert "Free some space" in caught.value.remedy
