"""The single checks of ``chat-mvp doctor``."""

import socket
from pathlib import Path
from typing import Any

import pytest

from chat_mvp.cli import checks
from chat_mvp.cli.checks import Finding
from chat_mvp.storage.inspection import Facts


def facts(**changes: Any) -> Facts:
    healthy = Facts(version="7.0.12", replica_set="rs0", clock_ahead_s=0.002, empty=False, missing_indexes=[])
    return healthy._replace(**changes)


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_healthy_database_is_well() -> None:
    findings = by_name(checks.check_database(facts()))
    assert {finding.status for finding in findings.values()} == {"ok"}
    assert findings["database"].detail == "MongoDB 7.0.12, replica set rs0, takes writes."
    assert all(finding.remedy == "" for finding in findings.values())


@pytest.mark.parametrize(
    ("changes", "check", "status"),
    [
        ({"version": "5.0.3"}, "database", "problem"),
        ({"missing_indexes": ["messages(conversation_id, seq) unique"]}, "indexes", "problem"),
        ({"clock_ahead_s": -90.0}, "clock", "warning"),
        ({"empty": True, "missing_indexes": ["all"]}, "indexes", "ok"),
        ({"replica_set": None}, "database", "ok"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], check: str, status: str) -> None:
    finding = by_name(checks.check_database(facts(**changes)))[check]
    assert finding.status == status
    assert bool(finding.remedy) == (status != "ok")


def test_a_free_port_and_a_port_of_somebody_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        other.close()
        assert checks.check_port("127.0.0.1", port).status == "ok"
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = checks.check_port("127.0.0.1", other.getsockname()[1])
    assert finding.status == "problem"
    assert "--port" in finding.remedy


def test_a_directory_open_to_others_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert checks.check_data_dir(tmp_path).status == "ok"
    tmp_path.chmod(0o755)
    finding = checks.check_data_dir(tmp_path)
    assert (finding.status, finding.remedy) == ("warning", f"chmod 700 {tmp_path}")


def test_disk_and_open_files_are_told(tmp_path: Path) -> None:
    assert "GiB free" in checks.check_disk(tmp_path).detail
    assert checks.check_open_files().detail
