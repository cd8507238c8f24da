"""An embedded database that was created before and is empty now is detected; a new one is not."""

import logging
import stat
from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.mongod.epoch_note import NOTE_NAME, check_never_made, write_epoch_note


def check(data_dir: Path, database: str = "chat") -> None:
    check_never_made(data_dir, database, data_dir / "signing-keys.json")


def test_a_new_directory_is_new(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    check(tmp_path)
    assert caplog.records == []


def test_a_database_that_was_made_before_is_refused_with_a_remedy(tmp_path: Path) -> None:
    write_epoch_note(tmp_path, "chat", "1" * 24)
    with pytest.raises(StartupError) as caught:
        check(tmp_path)
    assert all(word in caught.value.remedy for word in ("chat-mvp restore", "delete", str(tmp_path / NOTE_NAME)))
    (tmp_path / NOTE_NAME).unlink()
    check(tmp_path)


def test_another_database_in_the_directory_may_be_new(tmp_path: Path) -> None:
    write_epoch_note(tmp_path, "chat", "1" * 24)
    check(tmp_path, "another")


def test_signing_keys_alone_are_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "signing-keys.json").touch()
    with caplog.at_level(logging.WARNING):
        check(tmp_path)
    assert "a server has run there before" in caplog.text


def test_a_damaged_note_prevents_no_start(tmp_path: Path) -> None:
    (tmp_path / NOTE_NAME).write_bytes(b"\xff\xfe")
    check(tmp_path)


def test_it_is_for_the_owner_alone_and_written_only_when_it_changes(tmp_path: Path) -> None:
    write_epoch_note(tmp_path, "chat", "1" * 24)
    before = (tmp_path / NOTE_NAME).stat()
    assert stat.S_IMODE(before.st_mode) == 0o600
    write_epoch_note(tmp_path, "chat", "1" * 24)
    assert (tmp_path / NOTE_NAME).stat().st_ino == before.st_ino
    write_epoch_note(tmp_path, "chat", "2" * 24)
    assert (tmp_path / NOTE_NAME).read_text() == f"chat {'2' * 24}\n"
