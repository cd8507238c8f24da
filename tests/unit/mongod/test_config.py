from pathlib import Path

import pytest
import yaml

from chat_mvp.mongod.config import render
from chat_mvp.mongod.credentials import load_or_create
from chat_mvp.mongod.layout import prepare


def test_it_holds_the_path_of_the_key_and_no_secret(tmp_path: Path) -> None:
    layout = prepare(tmp_path)
    password = load_or_create(layout).password
    text = render(layout, port=23456, cache_gb=0.25)
    assert password not in text
    assert layout.key_file.read_text() not in text
    assert yaml.safe_load(text)["security"]["keyFile"] == str(layout.key_file)


def test_it_has_the_settings_of_the_design(tmp_path: Path) -> None:
    settings = yaml.safe_load(render(prepare(tmp_path), port=23456, cache_gb=0.5))
    assert settings["net"]["bindIp"] == "127.0.0.1"
    assert settings["net"]["port"] == 23456
    assert settings["net"]["compression"]["compressors"] == "snappy"
    assert settings["security"]["authorization"] == "enabled"
    assert settings["setParameter"]["transactionLifetimeLimitSeconds"] == 5
    assert settings["setParameter"]["oplogNetworkTimeoutBufferSeconds"] == 1
    assert settings["setParameter"]["minSnapshotHistoryWindowInSeconds"] == 0
    assert settings["storage"]["wiredTiger"]["engineConfig"]["cacheSizeGB"] == 0.5


@pytest.mark.parametrize(
    "name", ["with space", "colon: and #hash", "quote\"s and 'more", "données", "back\\slash", "%x"]
)
def test_a_path_with_odd_characters_stays_that_path(tmp_path: Path, name: str) -> None:
    layout = prepare(tmp_path / name)
    settings = yaml.safe_load(render(layout, port=23456, cache_gb=0.25))
    assert settings["storage"]["dbPath"] == str(layout.db_dir)
    assert settings["systemLog"]["path"] == str(layout.log_file)
