"""The sources of settings, and the errors about wrong values."""

from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.settings import FILE_NAME, Settings, load_settings


def environment(directory: Path, **settings: str) -> dict[str, str]:
    return {"CHAT_MVP_DATA_DIR": str(directory)} | {f"CHAT_MVP_{name}": value for name, value in settings.items()}


def refusal(environ: dict[str, str], **flags: str) -> StartupError:
    with pytest.raises(StartupError) as caught:
        load_settings(flags, environ)
    return caught.value


def test_without_anything_every_setting_has_its_default(tmp_path: Path) -> None:
    settings, sources, unknown, _ = load_settings({}, environment(tmp_path))
    assert (settings.host, settings.port, settings.mongo_uri) == ("127.0.0.1", 8080, None)
    assert sources["port"] == "default"
    assert set(sources) == set(Settings.model_fields)
    assert unknown == ()


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('port = 1001\nqueue_ttl_days = 7\nlog_format = "json"\n')
    environ = environment(tmp_path, QUEUE_TTL_DAYS="8", LOG_FORMAT="console")

    settings, sources, _, _ = load_settings({"log_format": "json", "log_level": None}, environ)

    assert (settings.port, sources["port"]) == (1001, f"file {tmp_path / FILE_NAME}")
    assert (settings.queue_ttl_days, sources["queue_ttl_days"]) == (8, "environment CHAT_MVP_QUEUE_TTL_DAYS")
    assert (settings.log_format, sources["log_format"]) == ("json", "flag --log-format")
    assert (settings.log_level, sources["log_level"]) == ("info", "default")


def test_the_file_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.toml"
    path.write_text("port = 1002\n")
    assert load_settings({}, environment(tmp_path, SETTINGS_FILE=str(path))).settings.port == 1002


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    assert load_settings({}, environment(tmp_path, PORT="")).sources["port"] == "default"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "seventy"),
        ("PORT", "65536"),
        ("MONGO_DATABASE", "two words"),
        ("QUEUE_TTL_DAYS", "0"),
        ("RATE_LIMITS", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("TRUST_PROXY", "perhaps"),
        ("PUBLIC_URL", "chat.example.org"),
        ("ALLOWED_ORIGINS", "https://a.example,https://b.example/chat"),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_source(tmp_path: Path, name: str, value: str) -> None:
    error = refusal(environment(tmp_path, **{name: value}))
    assert f"The setting {name} (environment CHAT_MVP_{name}) will not do" in error.detail
    assert error.remedy


def test_a_wrong_flag_is_refused_by_its_name(tmp_path: Path) -> None:
    assert "The setting PORT (flag --port)" in refusal(environment(tmp_path, PORT="80"), port="-1").detail


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("jwt_secret = 1234567890\n")
    error = refusal(environment(tmp_path))
    assert "JWT_SECRET" in error.detail
    assert "1234567890" not in str(error)


def test_a_mistyped_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("prot = 9000\n")
    assert f"There is no setting prot (file {tmp_path / FILE_NAME})" in refusal(environment(tmp_path)).detail


def test_a_mistyped_variable_is_reported(tmp_path: Path) -> None:
    environ = environment(tmp_path, PROT="9000", SERVER="http://127.0.0.1:1")
    assert load_settings({}, environ).unknown == ("CHAT_MVP_PROT",)


@pytest.mark.parametrize("content", [b"port 9000", b"\xff\xfe"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert f"The settings file {tmp_path / FILE_NAME} cannot be read" in refusal(environment(tmp_path)).detail


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    error = refusal(environment(tmp_path, SETTINGS_FILE=str(tmp_path / "missing.toml")))
    assert "missing.toml cannot be read" in error.detail


def test_origins_are_kept_as_browsers_send_them(tmp_path: Path) -> None:
    environ = environment(tmp_path, ALLOWED_ORIGINS="https://Chat.Example.org/, http://localhost:5173")
    settings = load_settings({}, environ).settings
    assert settings.allowed_origins == ("https://chat.example.org", "http://localhost:5173")


def test_the_data_directory_is_absolute_and_knows_the_home(tmp_path: Path) -> None:
    assert load_settings({"data_dir": "~/chat"}, {}).settings.data_dir == Path.home() / "chat"
    assert load_settings({"data_dir": "here"}, {}).settings.data_dir == Path.cwd() / "here"


def test_the_secret_does_not_show_in_the_settings(tmp_path: Path) -> None:
    environ = environment(tmp_path, JWT_SECRET="a" * 40, MONGO_URI="mongodb://ada:hush@db/")
    settings = load_settings({}, environ).settings
    assert "aaaa" not in repr(settings)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("line", "is_secret"),
    [('mongo_uri = "mongodb://a:b@db/"', True), (f'jwt_secret = "{"s" * 40}"', True), ("port = 9000", False)],
)
def test_it_is_known_which_file_holds_a_secret(tmp_path: Path, line: str, is_secret: bool) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(line)
    assert load_settings({"data_dir": str(tmp_path)}, environ={}).secret_file == (path if is_secret else None)
