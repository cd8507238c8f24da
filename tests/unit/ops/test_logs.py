"""The log: one format for all modules, and no secret in it."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from chat_mvp.ops.logs import configure_logs, hide_secrets

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def logged(shape: Any = "json", level: Any = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logs(shape=shape, level=level, stream=stream)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_is_one_object_a_line() -> None:
    stream = logged()
    structlog.stdlib.get_logger("chat_mvp.test").info("something_happened", count=3, name="Zoë")
    (entry,) = entries(stream)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "something_happened",
        "level": "info",
        "logger": "chat_mvp.test",
        "count": 3,
        "name": "Zoë",
    }


def test_libraries_log_in_the_same_shape() -> None:
    stream = logged()
    logging.getLogger("uvicorn.error").warning("Port %d is odd", 8080)
    logging.getLogger("chat_mvp.mongod").info("started")
    first, second = entries(stream)
    assert (first["event"], first["level"], first["logger"]) == ("Port 8080 is odd", "warning", "uvicorn.error")
    assert second["event"] == "started"


def test_libraries_are_quiet_about_every_request() -> None:
    stream = logged()
    logging.getLogger("uvicorn.error").info("handshake")
    logging.getLogger("pymongo.command").info("find")
    assert entries(stream) == []


def test_the_level_holds_for_all() -> None:
    stream = logged(level="error")
    structlog.stdlib.get_logger("chat_mvp.test").warning("not shown")
    logging.getLogger("pymongo").warning("not shown")
    logging.getLogger("chat_mvp.test").error("shown")
    assert [entry["event"] for entry in entries(stream)] == ["shown"]


def test_a_fault_of_ours_comes_with_its_traceback_in_one_entry() -> None:
    stream = logged()
    try:
        int("mongodb://ada:hush@db/")
    except ValueError:
        structlog.stdlib.get_logger("chat_mvp.test").exception("failed")
    (entry,) = entries(stream)
    assert "ValueError: invalid literal" in entry["exception"]
    assert "hush" not in entry["exception"]


def test_a_frame_that_is_no_text_is_no_fault_of_ours() -> None:
    stream = logged()
    try:
        b"\xff".decode()
    except UnicodeDecodeError:
        logging.getLogger("uvicorn.error").exception("Invalid UTF-8 sequence received from client.")
    (entry,) = entries(stream)
    assert entry["level"] == "warning"
    assert "exception" not in entry


def test_a_request_cut_off_at_the_end_is_no_fault_of_ours() -> None:
    stream = logged()
    logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=asyncio.CancelledError())
    (entry,) = entries(stream)
    assert entry["level"] == "warning"
    assert "exception" not in entry


def test_warnings_go_to_the_log() -> None:
    stream = logged()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("an unknown option", stacklevel=1)
    assert "an unknown option" in entries(stream)[0]["event"]


@pytest.mark.parametrize("shape", ["console", "json"])
def test_no_secret_gets_into_the_log(shape: str) -> None:
    stream = logged(shape)
    log = structlog.stdlib.get_logger("chat_mvp.test")
    log.info("signed_in", password="hush", refresh_token="hush", nested={"Authorization": "hush", "list": [JWT]})
    log.info("connecting to mongodb://ada:hush@db.example/?x=y with Bearer hush", header=f"Bearer {JWT}")
    logging.getLogger("chat_mvp.test").warning("token %s", JWT)
    shown = stream.getvalue()
    assert "hush" not in shown
    assert JWT not in shown
    assert "db.example" in shown


def test_what_only_sounds_like_a_secret_stays() -> None:
    entry = {"event": "settings", "access_token_minutes": 15, "token_expires_in": 900, "user": "ada"}
    assert hide_secrets(None, "info", dict(entry)) == entry
