import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.security.keys import FILE_NAME, load_signing_keys


def test_the_first_start_makes_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    (key,) = load_signing_keys(data_dir, None)
    assert len(key.secret) == 64
    assert stat.S_IMODE((data_dir / FILE_NAME).stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == [FILE_NAME]
    assert load_signing_keys(data_dir, None) == (key,)


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(lambda _: load_signing_keys(tmp_path, None), range(32)))
    assert len(set(loaded)) == 1


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    load_signing_keys(tmp_path, None)
    (tmp_path / FILE_NAME).chmod(0o644)
    load_signing_keys(tmp_path, None)
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_a_newer_key_goes_in_front(tmp_path: Path) -> None:
    (old,) = load_signing_keys(tmp_path / "a", None)
    (new,) = load_signing_keys(tmp_path / "b", None)
    stored = [json.loads((tmp_path / name / FILE_NAME).read_text())["keys"][0] for name in ("b", "a")]
    (tmp_path / "a" / FILE_NAME).write_text(json.dumps({"keys": stored}))
    assert load_signing_keys(tmp_path / "a", None) == (new, old)


def test_a_configured_secret_creates_no_file(tmp_path: Path) -> None:
    secret = "a secret that is long enough for anybody"
    (key,) = load_signing_keys(tmp_path, secret)
    assert key.secret == secret.encode()
    assert secret not in key.id
    assert list(tmp_path.iterdir()) == []


def test_a_short_secret_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError) as caught:
        load_signing_keys(tmp_path, "short-and-sweet")
    assert "short-and-sweet" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"id": "a", "secret": "AAAA"}]}', "[1]"])
def test_a_damaged_file_stops_the_start(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StartupError, match="damaged"):
        load_signing_keys(tmp_path, None)


def test_a_data_directory_that_is_a_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartupError, match="--data-dir"):
        load_signing_keys(tmp_path / "data", None)
