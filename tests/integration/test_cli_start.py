"""Starting and stopping the program: what it says, how long it takes, what it leaves."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from chat_mvp.mongod.discover import find_mongod
from tests.support.server import environment, free_port
from tests.support.terminal import refused, run_program

# Three times what is promised (6 s and 3 s), because tests share the machine with other tests.
FIRST_START_S = 18.0
LATER_START_S = 9.0
STOP_S = 10.0


class Running:
    """``chat-mvp serve`` with its own MongoDB, up to the line that says it is ready."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chat_mvp", "serve", "--port", "0", "--data-dir", str(data_dir)],
            env=environment(settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().strip()
        self.took_s = time.monotonic() - began
        self.url = self.line.rpartition(" ")[2]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Return the exit code, how long it took, and what stood on standard error."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=15)
        return self.process.returncode, time.monotonic() - began, err

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[Running]:
    server = Running(data_dir, **settings)
    try:
        yield server
    finally:
        server.kill()


def test_the_first_and_the_second_start(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    for number, within_s in ((signal.SIGTERM, FIRST_START_S), (signal.SIGINT, LATER_START_S)):
        with running(data_dir) as server:
            assert server.line == f"chat-mvp is ready at {server.url}"
            assert server.took_s < within_s
            assert httpx.get(f"{server.url}/health/ready", trust_env=False).json() == {"status": "ready"}
            code, took_s, err = server.stop(number)
        assert code == 0
        assert took_s < STOP_S
        assert "Traceback" not in err
        assert mongods(data_dir) == []
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_signal_while_it_starts_ends_it_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chat_mvp", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + FIRST_START_S
    while not (tmp_path / "server.lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out) == (0, ""), err
    assert "Traceback" not in err
    assert mongods(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_at_any_moment_of_the_start_ends_it_cleanly(tmp_path: Path, mongo_uri: str, number: int) -> None:
    command = [sys.executable, "-m", "chat_mvp", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    command += ["--mongo-uri", mongo_uri]
    began = time.monotonic()
    with running(tmp_path, MONGO_URI=mongo_uri):
        start_s = time.monotonic() - began
    # The first moments belong to Python itself, which is not ours to change.
    for tenths in (3, 4, 5, 6, 7, 8, 9, 10, 11):
        process = subprocess.Popen(
            command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(start_s * tenths / 10)
        process.send_signal(number)
        _, err = process.communicate(timeout=15)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_the_address_carries_no_hint_of_what_serves_it(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        headers = httpx.get(f"{server.url}/health/live", trust_env=False).headers
        assert "server" not in headers
        assert "date" in headers


def test_mistyped_variables_are_logged_and_secrets_are_not(tmp_path: Path) -> None:
    secret = "hush-hush-hush-hush-hush-hush-hush-hush"
    with running(tmp_path, PROT="9000", JWT_SECRET=secret, LOG_FORMAT="json") as server:
        _, _, err = server.stop()
    assert "CHAT_MVP_PROT" in err
    assert secret not in err


# --- what cannot start: one line, exit code 2, nothing half-made


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        line = refused(run_program("serve", "--port", port, "--data-dir", tmp_path / "data"))
    assert f"Port {port} on 127.0.0.1 is in use" in line
    assert "--port" in line
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_is_a_file(tmp_path: Path, mongo_uri: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for more in ([], ["--mongo-uri", mongo_uri]):
        line = refused(run_program("serve", "--port", "0", "--data-dir", file, *more))
        assert f"The data directory {file} cannot be used" in line
        assert "--data-dir" in line
    assert file.read_text() == "mine"


def test_a_data_directory_that_is_not_writable(mongo_uri: str) -> None:
    # Not even root may make directories here, whatever system user runs the tests.
    nowhere = Path("/proc/chat-mvp") if sys.platform == "linux" else Path("/dev/null/chat-mvp")
    for more in ([], ["--mongo-uri", mongo_uri]):
        assert "cannot be used" in refused(run_program("serve", "--port", "0", "--data-dir", nowhere, *more))


def test_a_data_directory_in_use(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        line = refused(run_program("serve", "--port", "0", "--data-dir", tmp_path))
        assert f"(process {server.process.pid}) is using the data directory {tmp_path}" in line
        assert server.stop()[0] == 0


def test_a_mongodb_that_does_not_answer(tmp_path: Path) -> None:
    uri = f"mongodb://ada:hush@127.0.0.1:{free_port()}/?replicaSet=rs0"
    line = refused(run_program("serve", "--port", "0", "--data-dir", tmp_path, "--mongo-uri", uri))
    assert "No MongoDB answers" in line
    assert "--mongo-uri" in line
    assert "hush" not in line


def test_a_mongodb_that_is_no_replica_set(tmp_path: Path) -> None:
    program = asyncio.run(find_mongod()).program
    port = free_port()
    (tmp_path / "db").mkdir()
    command = [program, "--dbpath", tmp_path / "db", "--port", str(port), "--bind_ip", "127.0.0.1"]
    mongod = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_port(port)
        uri = f"mongodb://127.0.0.1:{port}/"
        line = refused(run_program("serve", "--port", "0", "--data-dir", tmp_path / "data", "--mongo-uri", uri))
    finally:
        mongod.terminate()
        mongod.wait(15)
    assert "neither a replica set nor a sharded cluster" in line
    assert "--replSet" in line


def test_an_address_that_is_none(tmp_path: Path) -> None:
    line = refused(run_program("serve", "--port", "0", "--data-dir", tmp_path, "--mongo-uri", "http://db.example"))
    assert "not a valid connection string" in line


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (["--port", "seventy"], {}, "The setting PORT (flag --port)"),
        (["--port", "70000"], {}, "The setting PORT (flag --port)"),
        ([], {"QUEUE_TTL_DAYS": "soon"}, "The setting QUEUE_TTL_DAYS (environment CHAT_MVP_QUEUE_TTL_DAYS)"),
        ([], {"SETTINGS_FILE": "/no/such/file"}, "The settings file /no/such/file cannot be read"),
        (["--host", "192.0.2.1", "--port", "0"], {}, "The address 192.0.2.1 is not one of this machine"),
    ],
)
def test_a_wrong_setting(tmp_path: Path, arguments: list[str], settings: dict[str, str], said: str) -> None:
    line = refused(run_program("serve", *arguments, "--data-dir", tmp_path / "data", settings=settings))
    assert said in line
    assert not (tmp_path / "data").exists()


def mongods(data_dir: Path) -> list[str]:
    """Return the database processes that belong to a data directory."""
    shown = subprocess.run(["ps", "-ww", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in shown.splitlines() if f"{data_dir}{os.sep}" in line and "mongod" in line]


def await_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port}")
