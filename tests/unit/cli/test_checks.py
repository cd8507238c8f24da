"""The single checks of ``chat-mvp doctor``."""

import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chat_mvp.cli import checks
from chat_mvp.cli.checks import Finding
from chat_mvp.cli.serve import warn_of_open_files
from chat_mvp.storage.inspection import Facts


def facts(**changes: Any) -> Facts:
    healthy = Facts(
        version="7.0.12",
        replica_set="rs0",
        clock_ahead_s=0.002,
        empty=False,
        missing_indexes=[],
        duplicates=[],
        restore_phase=None,
    )
    return healthy._replace(**changes)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_healthy_database_is_well() -> None:
    findings = by_name(checks.check_database(facts()))
    assert {finding.status for finding in findings.values()} == {"ok"}
    assert findings["database"].detail == "MongoDB 7.0.12, replica set rs0, accepts writes."
    assert all(finding.remedy == "" for finding in findings.values())


@pytest.mark.parametrize(
    ("changes", "check", "status"),
    [
        ({"version": "5.0.3"}, "database", "problem"),
        ({"missing_indexes": ["messages(conversation_id, seq) unique"]}, "indexes", "problem"),
        ({"duplicates": ["messages(conversation_id, seq): documents 1 and 2 of 2"]}, "indexes", "problem"),
        ({"restore_phase": "loading"}, "restore", "problem"),
        ({"restore_phase": "switching"}, "restore", "problem"),
        ({"clock_ahead_s": -90.0}, "clock", "warning"),
        ({"empty": True, "missing_indexes": ["all"]}, "indexes", "ok"),
        ({"replica_set": None}, "database", "ok"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], check: str, status: str) -> None:
    finding = by_name(checks.check_database(facts(**changes)))[check]
    assert finding.status == status
    assert bool(finding.remedy) == (status != "ok")


def test_a_free_port_and_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        other.close()
        assert checks.check_port("127.0.0.1", port).status == "ok"
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = checks.check_port("127.0.0.1", other.getsockname()[1])
    assert finding.status == "problem"
    assert "--port" in finding.remedy


def test_a_directory_open_to_others_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert checks.check_data_dir(tmp_path).status == "ok"
    tmp_path.chmod(0o755)
    finding = checks.check_data_dir(tmp_path)
    assert (finding.status, finding.remedy) == ("warning", f"chmod 700 {tmp_path}")


def test_disk_and_open_files_are_reported(tmp_path: Path) -> None:
    assert "GiB free" in checks.check_disk(tmp_path).detail
    assert checks.check_open_files().detail


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_settings_file_open_to_others_is_reported(tmp_path: Path, mode: int) -> None:
    assert checks.check_settings_file(None).status == "ok"
    path = tmp_path / "chat-mvp.toml"
    path.touch(0o600)
    assert checks.check_settings_file(path).status == "ok"
    path.chmod(mode)
    finding = checks.check_settings_file(path)
    assert (finding.status, finding.remedy) == ("warning", f"chmod 600 {path}")


def test_duplicates_come_before_the_advice_to_restart() -> None:
    broken = facts(missing_indexes=["messages(conversation_id, seq) unique"], duplicates=["messages(…): 1 and 2 of 2"])
    finding = by_name(checks.check_database(broken))["indexes"]
    assert "does not start" in finding.remedy
    assert "1 and 2 of 2" in finding.detail


def test_the_server_warns_of_what_others_can_read(tmp_path: Path) -> None:
    path = tmp_path / "chat-mvp.toml"
    path.touch()
    for directory_mode, file_mode, warnings in ((0o755, 0o644, 2), (0o700, 0o600, 0)):
        tmp_path.chmod(directory_mode)
        path.chmod(file_mode)
        with capture_logs() as logged:
            warn_of_open_files(tmp_path, path)
        assert [(it["event"], it["log_level"]) for it in logged] == [("open_to_others", "warning")] * warnings
