"""What ``chat-mvp config`` shows, and what it never shows."""

import json
from pathlib import Path

import pytest

from chat_mvp.cli import config
from chat_mvp.settings import Settings, load_settings

SECRETS = {
    "CHAT_MVP_JWT_SECRET": "s3cret-s3cret-s3cret-s3cret-s3cret",
    "CHAT_MVP_MONGO_URI": "mongodb://ada:s3cret@db1.example:27017,db2.example/?replicaSet=rs0&tlsKeyPassword=s3cret",
}


def test_secrets_are_masked_in_both_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load_settings({"data_dir": str(tmp_path)}, SECRETS)
    assert config.run(loaded, as_json=False) == 0
    assert config.run(loaded, as_json=True) == 0
    shown = capsys.readouterr().out
    assert "s3cret" not in shown
    assert "db1.example:27017,db2.example" in shown


def test_every_setting_is_shown_with_source_and_description(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.run(load_settings({"data_dir": str(tmp_path)}, {"CHAT_MVP_PORT": "9000"}), as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {name.upper() for name in Settings.model_fields}
    assert rows["PORT"]["value"] == 9000
    assert rows["PORT"]["source"] == "environment CHAT_MVP_PORT"
    assert rows["DATA_DIR"] == {
        "name": "DATA_DIR",
        "value": str(tmp_path),
        "source": "flag --data-dir",
        "description": "Where secrets and the embedded MongoDB live.",
    }
    assert all(row["description"] for row in rows.values())


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("mongodb://db/chat", "mongodb://db/chat"),
        ("mongodb+srv://ada:hush@db.example/chat?ssl=true", "mongodb+srv://***@db.example/chat"),
        ("mongodb://ada:hu@sh@db/", "mongodb://***@db/"),
        ("ada:hush@db", "***"),
        ("mongodb://[broken", "***"),
        ("a long random key", "***"),
    ],
)
def test_of_an_address_only_the_way_is_shown(secret: str, shown: str) -> None:
    assert config.masked(secret) == shown


def test_mistyped_variables_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.run(load_settings({"data_dir": str(tmp_path)}, {"CHAT_MVP_PROT": "1"}), as_json=False)
    assert "CHAT_MVP_PROT" in capsys.readouterr().err
