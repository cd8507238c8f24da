"""``chat-mvp chat`` as people and scripts use it, against a running server."""

import asyncio
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Launch
from tests.support.people import PASSWORD, unique
from tests.support.server import Server, environment, free_port
from tests.support.terminal import Outcome, run_program


class TerminalUser:
    """A user with their own terminal."""

    def __init__(self, server: Server, home: Path, name: str) -> None:
        self.username = unique(name)
        self._server = server
        self._home = home / name

    def run(self, *arguments: str, typed: str = "") -> Outcome:
        return run_program("chat", "--server", self._server.origin, *arguments, home=self._home, typed=typed)

    def do(self, *arguments: str, typed: str = "") -> str:
        outcome = self.run(*arguments, typed=typed)
        assert (outcome.code, outcome.err) == (0, ""), outcome
        return outcome.out

    def ask(self, *arguments: str, typed: str = "") -> list[Any]:
        return [json.loads(line) for line in self.do("--json", *arguments, typed=typed).splitlines()]

    def register(self) -> "TerminalUser":
        (user,) = self.ask("register", self.username, "--email", f"{self.username}@example.org", typed=f"{PASSWORD}\n")
        assert user["username"] == self.username
        return self

    async def start(self, *arguments: str) -> "Running":
        """Start a command that keeps running."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "chat_mvp", "chat", "--server", self._server.origin, *arguments),
            env=environment({}) | {"XDG_CONFIG_HOME": str(self._home)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return Running(process)

    @property
    def files(self) -> list[Path]:
        return list((self._home / "chat-mvp").glob("session-*.json"))


class Running:
    """A running command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def readline(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            return (await self._process.stdout.readline()).decode()

    async def ended(self) -> tuple[int | None, str]:
        """Return the exit code and standard error."""
        async with asyncio.timeout(20):
            _, err = await self._process.communicate()
        return self._process.returncode, err.decode()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


@pytest.fixture
def terminal_user(server: Server, tmp_path: Path) -> Callable[[str], TerminalUser]:
    return lambda name: TerminalUser(server, tmp_path, name).register()


def refused(outcome: Outcome, said: str) -> None:
    assert outcome.code == 1, outcome
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_two_people_talk(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    assert ada.do("write", f"@{bob.username}", "Hello Bob!") == "queued as number 1\n"
    (ack,) = ada.ask("write", f"@{bob.username}", typed="Two\nlines\n")
    assert (ack["seq"], ack["status"]) == (2, "queued")

    (listed,) = bob.ask("list")
    assert [(entry["peer"]["username"], entry["me"]["unread"]) for entry in listed] == [(ada.username, 2)]

    waiting = bob.ask("tail", "--count", "2")
    assert [message["text"] for message in waiting] == ["Hello Bob!", "Two\nlines"]

    shown = bob.do("read", f"@{ada.username}")
    assert f"{ada.username}: Hello Bob!\n" in shown
    assert f"{ada.username}: Two\n        lines\n" in shown
    assert bob.ask("list")[0][0]["me"]["unread"] == 0


def test_what_was_tailed_does_not_come_again(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    for text in ("one", "two"):
        ada.do("write", f"@{bob.username}", text)
    assert [message["text"] for message in bob.ask("tail", "-n", "1")] == ["one"]
    assert [message["text"] for message in bob.ask("tail", "-n", "1")] == ["two"]


def test_a_group(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    (group,) = ada.ask("group", "The choir", bob.username)
    bob.do("write", "the CHOIR", "Found by name")
    bob.do("write", group["id"], "and by id")
    texts = [message["text"] for message in ada.ask("read", "The choir") if message["kind"] == "text"]
    assert texts == ["Found by name", "and by id"]


def test_a_long_history_is_read_over_several_pages(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    where = f"@{bob.username}"
    ada.do(typed=f"/open {where}\n" + "".join(f"line {number}\n" for number in range(1, 231)))
    shown = [message["text"] for message in ada.ask("read", where, "-n", "220")]
    assert shown == [f"line {number}" for number in range(11, 231)]


def test_the_prompt(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    ada.do("write", f"@{bob.username}", "\x1b[31mAre you there?")
    typed = f"hello\n/open @nobody.here\n/open @{ada.username}\nYes!\n/history\n/list\n/quit\nnot sent\n"
    shown = bob.do(typed=typed)
    assert f"You are {bob.username}" in shown
    assert "! " in shown  # no user of that name
    assert f"You are in @{ada.username}." in shown
    assert "waiting" in shown
    assert "\x1b" not in shown
    assert [message["text"] for message in ada.ask("read", f"@{bob.username}")][1:] == ["Yes!"]


def test_people_are_found_by_the_beginning_of_a_name(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada, bob = terminal_user("ada"), terminal_user("bob")
    (found,) = ada.ask("people", bob.username[:10])
    assert [user["username"] for user in found] == [bob.username]
    assert ada.do("whoami").startswith(ada.username)


def test_signing_out_and_in(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada = terminal_user("ada")
    (file,) = ada.files
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ada.do("logout")
    assert ada.files == []
    refused(ada.run("list"), "You are not signed in.")
    refused(ada.run("login", ada.username, typed="wrong password\n"), "chat-mvp: ")
    refused(ada.run("login", ada.username), "A password is required")
    assert ada.do("login", ada.username, typed=f"{PASSWORD}\n") == f"You are {ada.username} now.\n"


def test_errors_are_one_line(terminal_user: Callable[[str], TerminalUser]) -> None:
    ada = terminal_user("ada")
    refused(ada.run("write", "@nobody.here", "Hello?"), "chat-mvp: ")
    refused(ada.run("write", "No such group", "Hello?"), "You are in no conversation with this name")
    refused(ada.run("read", "f" * 24), "You are in no conversation with this id.")
    refused(ada.run("register", ada.username.upper(), "--email", "x@example.org", typed=f"{PASSWORD}\n"), "chat-mvp: ")


async def test_tail_continues_after_a_restart_of_the_server(launch: Launch, tmp_path: Path) -> None:
    chat = await launch()
    ada, bob = (TerminalUser(chat.server, tmp_path, name).register() for name in ("ada", "bob"))
    tail = await bob.start("tail", "--count", "2")
    try:
        ada.do("write", f"@{bob.username}", "before")
        assert (await tail.readline()).endswith(f"{ada.username}: before\n")
        await chat.server.crash_and_restart()
        ada.do("write", f"@{bob.username}", "after")
        assert (await tail.readline()).endswith(f"{ada.username}: after\n")
        assert await tail.ended() == (0, "")
    finally:
        tail.kill()


def test_without_a_server(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    outcome = run_program("chat", "--server", url, "login", "ada", home=tmp_path, typed=f"{PASSWORD}\n")
    refused(outcome, f"No chat server answers at {url}.")
