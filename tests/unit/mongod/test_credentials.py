import os
import re
import stat
from pathlib import Path

import pytest

from chat_mvp.mongod.credentials import Credentials, load_or_create, write_private
from chat_mvp.mongod.layout import Layout, prepare


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return prepare(tmp_path / "data")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_they_are_made_once_and_found_again(layout: Layout) -> None:
    first = load_or_create(layout)
    key = layout.key_file.read_text()
    assert load_or_create(layout) == first
    assert layout.key_file.read_text() == key


def test_two_directories_have_nothing_in_common(tmp_path: Path) -> None:
    one, two = prepare(tmp_path / "one"), prepare(tmp_path / "two")
    assert load_or_create(one).password != load_or_create(two).password
    assert one.key_file.read_text() != two.key_file.read_text()


def test_the_password_is_long_and_safe_in_an_address(layout: Layout) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", load_or_create(layout).password)


def test_the_key_is_one_that_mongod_accepts(layout: Layout) -> None:
    load_or_create(layout)
    assert re.fullmatch(r"[A-Za-z0-9+/]{6,1024}", layout.key_file.read_text())


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_can_read_the_files_whatever_the_umask(layout: Layout, mask: int) -> None:
    before = os.umask(mask)
    try:
        load_or_create(layout)
    finally:
        os.umask(before)
    assert mode(layout.key_file) == mode(layout.password_file) == 0o600


def test_files_that_were_opened_to_others_are_closed_again(layout: Layout) -> None:
    load_or_create(layout)
    layout.key_file.chmod(0o644)
    layout.password_file.chmod(0o666)
    load_or_create(layout)
    assert mode(layout.key_file) == mode(layout.password_file) == 0o600


def test_an_empty_file_counts_as_none(layout: Layout) -> None:
    layout.password_file.touch()
    layout.key_file.touch()
    assert len(load_or_create(layout).password) > 40
    assert layout.key_file.read_text()


def test_a_file_of_nonsense_counts_as_none(layout: Layout) -> None:
    layout.password_file.write_bytes(b"\xff\xfe")
    assert len(load_or_create(layout).password) > 40


def test_special_characters_of_a_password_are_escaped_in_the_uri() -> None:
    uri = Credentials("chat_mvp", password="p@ss/w:rd%+?", key="").uri(23456)
    assert uri == "mongodb://chat_mvp:p%40ss%2Fw%3Ard%25%2B%3F@127.0.0.1:23456/?replicaSet=chat&authSource=admin"


def test_no_representation_shows_the_password() -> None:
    credentials = Credentials("somebody", password="the secret", key="the other secret")
    assert "secret" not in repr(credentials)
    assert "secret" not in f"{credentials}"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "password"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
