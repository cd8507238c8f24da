import json
import os
import stat
from pathlib import Path

import pytest

from chat_mvp.mongod import logfile


def line(severity: str, message: str, **attributes: object) -> str:
    return json.dumps({"s": severity, "msg": message, "attr": attributes}) + "\n"


def test_the_fatal_line_is_the_reason(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(line("E", "first trouble") + line("F", "Wrong version", error="FCV 4.4") + line("I", "Now exiting"))
    assert logfile.failure(log, 0) == "Wrong version: FCV 4.4"


def test_without_a_fatal_line_the_last_error_is(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(
        line("E", "one") + line("E", "two", error={"code": 9, "errmsg": "in use"}) + line("I", "Now exiting")
    )
    assert logfile.failure(log, 0) == "two: in use"


def test_what_the_loader_prints_is_a_reason(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text("mongod: error while loading shared libraries: libcurl.so.4\n")
    assert "libcurl.so.4" in logfile.failure(log, 0)


def test_what_was_there_before_this_start_is_none(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(line("F", "of yesterday"))
    offset = logfile.size(log)
    with log.open("a") as file:
        file.write("\n***** SERVER RESTARTED *****\n" + line("I", "MongoDB starting"))
    assert logfile.failure(log, offset) == ""
    assert not logfile.contains(log, offset, "of yesterday")
    assert logfile.contains(log, offset, "MongoDB starting")


@pytest.mark.parametrize("text", ['{"s": "F"}\n', '{"s": "F", "msg": null, "attr": null}\n', "[]\n", '"F"\n', "\n\n"])
def test_odd_lines_do_no_harm(tmp_path: Path, text: str) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(text + line("E", "the reason"))
    assert logfile.failure(log, 0) == "the reason"


def test_a_long_reason_is_cut(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    log.write_text(line("F", "x" * 5000))
    assert len(logfile.failure(log, 0)) == 300


def test_no_log_is_no_reason(tmp_path: Path) -> None:
    assert logfile.failure(tmp_path / "none", 0) == ""
    assert logfile.size(tmp_path / "none") == 0


def test_a_log_over_the_limit_is_moved_aside_and_only_one_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    for text in ("a" * 11, "b" * 11):
        log.write_text(text)
        assert logfile.rotate(log, limit=10)
    assert not log.exists()
    assert (tmp_path / "mongod.log.1").read_text() == "b" * 11
    log.write_text("c" * 10)
    assert not logfile.rotate(log, limit=10)


def test_it_is_made_for_its_owner_alone_and_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "mongod.log"
    for text in (b"one ", b"two"):
        descriptor = logfile.open_for_append(log)
        os.write(descriptor, text)
        os.close(descriptor)
    assert log.read_text() == "one two"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
