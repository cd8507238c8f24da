import socket
import stat
from pathlib import Path

import pytest

from chat_mvp.mongod import ports


def test_a_free_port_that_is_preferred_is_chosen() -> None:
    port = ports.choose(None)
    assert ports.choose(port) == port


def test_a_taken_port_is_not_chosen() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        assert not ports.is_free(taken)
        assert ports.choose(taken) != taken


def test_a_port_to_avoid_is_not_chosen() -> None:
    port = ports.choose(None)
    assert ports.choose(port, avoid=port) != port


def test_a_new_port_lies_below_those_for_outgoing_connections() -> None:
    assert all(ports.choose(None) < 32_768 for _ in range(20))


def test_it_is_remembered_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "port"
    assert ports.remembered(path) is None
    ports.remember(path, 23456)
    assert ports.remembered(path) == 23456
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"port", b"0", b"-1", b"65536", b"99999999999", b"\xff\xfe"])
def test_nonsense_in_the_file_counts_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "port").write_bytes(content)
    assert ports.remembered(tmp_path / "port") is None
