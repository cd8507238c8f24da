"""Every setting, typed, with its default and where it came from.

Order, last wins: defaults, the optional settings file (``CHAT_MVP_SETTINGS_FILE`` or ``DATA_DIR/chat-mvp.toml``),
environment variables ``CHAT_MVP_<NAME>``, command-line flags.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from chat_mvp.errors import StartupError

PREFIX = "CHAT_MVP_"
FILE_NAME = "chat-mvp.toml"

_NOT_SETTINGS = frozenset({"SETTINGS_FILE", "SERVER"})
"""Variables of this prefix with another purpose: where the file is, and which server ``chat-mvp chat`` talks to."""
_SECRETS = frozenset({"jwt_secret", "mongo_uri"})


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "chat-mvp"


class Settings(BaseModel):
    """All settings of one server. Unknown names in the file are an error, so that a typing mistake is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        default_factory=_default_data_dir, description="Where secrets and the embedded MongoDB live."
    )
    mongo_uri: SecretStr | None = Field(None, description="A MongoDB of your own instead of the embedded one.")
    mongo_database: str = Field(
        "chat_mvp",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="Name of the database.",
    )
    mongo_cache_gb: float = Field(0.25, ge=0.05, le=64, description="Cache of the embedded MongoDB, in GB.")
    jwt_secret: SecretStr | None = Field(None, description="Key for access tokens; made on first start when left out.")
    access_token_minutes: float = Field(15, gt=0, le=1_440, description="How long an access token is good.")
    refresh_token_days: float = Field(30, gt=0, le=365, description="How long a device stays signed in without use.")
    registration: Literal["open", "invite", "closed"] = Field("open", description="Who may register.")
    public_url: str | None = Field(None, description="Address that people use, when it is not http://HOST:PORT.")
    allowed_origins: tuple[str, ...] = Field((), description="Other web origins that may connect, separated by commas.")
    trust_proxy: bool = Field(False, description="Believe X-Forwarded-For; only behind a proxy of yours.")
    trusted_proxies: int = Field(
        1, ge=1, le=10, description="How many proxies of yours stand in a row in front; only with TRUST_PROXY."
    )
    max_connections_per_address: int = Field(
        1_000, ge=1, description="Connections from one address; an IPv6 address counts as its /64 network."
    )
    rate_limits: Literal["on", "off"] = Field("on", description="Limits on how often things may be done.")
    rate_limit_sends_per_s: int = Field(100, ge=1, description="Messages a second from one account, sustained.")
    rate_limit_send_burst: int = Field(500, ge=1, description="Messages at once from one account.")
    queue_max_members: int = Field(64, ge=2, le=1_000, description="Up to this many members each gets queue entries.")
    queue_ttl_days: int = Field(30, ge=1, le=365, description="How long a message waits for a recipient.")
    event_ttl_days: int = Field(3, ge=1, le=365, description="How long events are kept for their consumers.")
    heartbeat_seconds: float = Field(30, gt=0, le=600, description="Time between pings; silence of twice that ends it.")
    presence_ttl_seconds: float = Field(300, gt=0, le=86_400, description="How long presence is kept without a sign.")
    log_format: Literal["console", "json"] = Field("console", description="Shape of the log.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity logged.")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, directory: Path) -> Path:
        # No shell expands ~ in a file or a variable, and a path must mean the same from every working directory.
        return directory.expanduser().absolute()

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, address: str | None) -> str | None:
        return None if address is None else _checked_address(address.rstrip("/"))

    @field_validator("allowed_origins")
    @classmethod
    def _web_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        # Browsers send an origin without a path and in lower case; one that is written otherwise would never match.
        return tuple(_checked_origin(origin.rstrip("/").lower()) for origin in origins)


class Loaded(NamedTuple):
    """Settings and, for each name, the place its value came from.

    ``unknown`` names environment variables that look like settings and are none: most likely typing mistakes.
    ``secret_file`` is the settings file, when secrets came from it.
    """

    settings: Settings
    sources: Mapping[str, str]
    unknown: tuple[str, ...]
    secret_file: Path | None


def load_settings(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Return the settings of this process; ``StartupError`` that names the setting when a value will not do."""
    environ = os.environ if environ is None else environ
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    from_environment = {
        name: _split(name, environ[PREFIX + name.upper()])
        for name in Settings.model_fields
        if environ.get(PREFIX + name.upper())
    }
    path = _settings_file(given, from_environment, environ)
    from_file = _read_file(path) if path else {}
    merged = {**from_file, **from_environment, **given}
    sources = dict.fromkeys(Settings.model_fields, "default")
    sources |= dict.fromkeys(from_file, f"file {path}")
    sources |= {name: f"environment {PREFIX}{name.upper()}" for name in from_environment}
    sources |= {name: f"flag --{name.replace('_', '-')}" for name in given}
    known = {name.upper() for name in Settings.model_fields} | _NOT_SETTINGS
    unknown = tuple(sorted(name for name in environ if name.startswith(PREFIX) and name[len(PREFIX) :] not in known))
    try:
        secret_file = path if from_file.keys() & _SECRETS else None
        return Loaded(Settings.model_validate(merged), sources, unknown, secret_file)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise StartupError(
                f"There is no setting {name} ({sources[name]}).",
                remedy="Correct its name or take it out; chat-mvp config lists them all.",
            ) from None
        reason = first["msg"].removeprefix("Value error, ")
        raise StartupError(
            f"The setting {name.upper()} ({sources[name]}) will not do: {reason}.",
            remedy="Correct it, or leave it out for its default.",
        ) from None


def _split(name: str, text: str) -> str | tuple[str, ...]:
    if name == "allowed_origins":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _checked_address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address begins with http:// or https:// and a host")
    return address


def _checked_origin(origin: str) -> str:
    if urlsplit(_checked_address(origin)).path:
        raise ValueError("an origin is scheme, host and perhaps a port, such as https://chat.example.org")
    return origin


def _settings_file(
    given: Mapping[str, Any],
    from_environment: Mapping[str, Any],
    environ: Mapping[str, str],
) -> Path | None:
    named = environ.get(PREFIX + "SETTINGS_FILE")
    if named:
        return Path(named)
    data_dir = Path(given.get("data_dir") or from_environment.get("data_dir") or _default_data_dir())
    beside = data_dir.expanduser() / FILE_NAME
    try:
        return beside if beside.is_file() else None
    except OSError:
        return None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise StartupError(
            f"The settings file {path} cannot be read.",
            remedy=f"It must be TOML with lines like port = 9000 ({type(error).__name__}).",
        ) from None
