"""The commands and examples of the README work as written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chat_mvp.cli.main import app
from tests.support.server import Server, environment
from tests.unit.docs.pages import ROOT, blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"


def block_of(language: str) -> str:
    found = [block.text for block in blocks(README) if block.language == language]
    assert len(found) == 1, language
    return found[0]


@pytest.mark.parametrize(
    ("language", "program", "suffix", "said"),
    [
        ("python", sys.executable, "py", "Hello from Python!"),
        ("js", NODE, "mjs", "Stored as message 1"),
    ],
)
def test_an_example(server: Server, tmp_path: Path, language: str, program: str, suffix: str, said: str) -> None:
    example = tmp_path / f"example.{suffix}"
    example.write_text(block_of(language), encoding="utf-8")
    done = subprocess.run(
        [program, str(example), server.origin],
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{said}\n"), done.stderr


def test_the_two_commands() -> None:
    commands = [block.text.strip() for block in blocks(README) if block.language == "sh"]
    assert commands[:2] == ["pip install rust-just && just serve", "just test"]
    recipes = re.findall(r"^([a-z-]+)(?: [^:=]*)?:(?!=)", (ROOT / "justfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"serve", "test"} <= set(recipes)


def test_every_command_that_is_named_exists() -> None:
    commands = {info.name or (info.callback and info.callback.__name__) for info in app.registered_commands}
    groups = {group.name: group.typer_instance for group in app.registered_groups}
    for name, after in re.findall(r"\bchat-mvp (\w+)(?: (\w+)\b)?", "\n".join(block.text for block in blocks(README))):
        assert name in commands or name in groups
        if name in groups and after:
            below = groups[name]
            assert below is not None
            assert after in {
                info.name or (info.callback and info.callback.__name__) for info in below.registered_commands
            }
