"""The commands as a whole: quick to start, clear about what they are."""

import subprocess
import sys

import chat_mvp
from tests.support.terminal import run_program

HEAVY = ("litestar", "beanie", "motor", "pymongo", "httpx", "uvicorn", "pydantic", "rich.console", "structlog")


def test_the_help_loads_nothing_heavy() -> None:
    code = f"import sys, chat_mvp.cli.main; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_the_help_names_every_command() -> None:
    outcome = run_program("--help")
    assert outcome.code == 0
    for command in ("serve", "demo", "doctor", "config", "chat", "events", "consumers"):
        assert command in outcome.out


def test_the_version_is_that_of_the_package() -> None:
    assert run_program("--version").out == f"chat-mvp {chat_mvp.__version__}\n"


def test_an_unknown_command_or_option_is_refused() -> None:
    for arguments in (["sevre"], ["serve", "--prot", "9000"]):
        outcome = run_program(*arguments)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err
        assert "No such" in outcome.err


def test_no_option_takes_a_password() -> None:
    for arguments in (["chat", "login", "--help"], ["chat", "register", "--help"], ["chat", "--help"]):
        assert "--password" not in run_program(*arguments).out
