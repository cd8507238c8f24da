"""Make `.venv` with the program and everything its development needs, and build the web client.

Quick and quiet when nothing changed: `.venv` keeps a hash of what it was made from. Runs on any suitable Python with
the standard library alone; an unsuitable one gets one sentence that says what to do.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / "installed-from"
PYTHON_FROM, PYTHON_BELOW = (3, 11), (3, 15)  # the same as requires-python, which older Pythons could not read


def main() -> None:
    """Bring `.venv` and the web client up to date."""
    if not PYTHON_FROM <= sys.version_info[:2] < PYTHON_BELOW:
        fail(
            f"{sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]}, and chat-mvp needs 3.11 to 3.14: "
            "set PYTHON to one of those, for example `PYTHON=python3.13 just install`."
        )
    wanted = fingerprint()
    current = STAMP.is_file() and (BIN / "chat-mvp").exists()
    if not current or STAMP.read_text() != wanted:
        install(wanted)
    # With the Python of .venv, which has Node and brotli; it ends at once when the client is current.
    if subprocess.run([BIN / "python", ROOT / "tools/build_web.py"], check=False).returncode:
        sys.exit(1)


def fingerprint() -> str:
    """Hash what the environment is made from; the settings of linters in pyproject.toml do not count."""
    import tomllib  # noqa: PLC0415 - older Pythons lack it, and must get as far as the sentence in `main`

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [project["build-system"], project["project"], (ROOT / "constraints.txt").read_text(encoding="utf-8")]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def install(wanted: str) -> None:
    """Make `.venv` where there is none, install exactly what constraints.txt says, and remember that it is done."""
    STAMP.unlink(missing_ok=True)
    if not usable(BIN / "python"):
        say(f"making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}")
        shutil.rmtree(VENV, ignore_errors=True)
        run(
            [sys.executable, "-m", "venv", VENV],
            f"{sys.executable} cannot make virtual environments: install its venv module (python3-venv on Debian and "
            "Ubuntu), or set PYTHON to another Python.",
        )
    say("installing Python packages (about a minute the first time)")
    pip = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    failed = "pip could not install what chat-mvp needs: its output is above; is the package registry reachable?"
    constraints = ["--constraint", ROOT / "constraints.txt"]
    # The build requirements come first and without isolation, so that they are pinned too and fetched once.
    run([*pip, *constraints, "hatchling", "editables"], failed)
    run([*pip, *constraints, "--no-build-isolation", "--editable", f"{ROOT}[dev,bench]"], failed)
    STAMP.write_text(wanted)


def usable(python: Path) -> bool:
    """Whether the environment's Python starts: it does not after the Python that it was made with has gone."""
    return python.exists() and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


def run(command: "list[str | Path]", failed: str) -> None:
    """Run `command` with its output kept back unless it fails; then show it, and end with the sentence `failed`."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        fail(failed)


def say(text: str) -> None:
    """One line of progress."""
    print(f"chat-mvp: {text}", file=sys.stderr, flush=True)


def fail(sentence: str) -> None:
    """End with one sentence for the person at the terminal."""
    sys.exit(f"chat-mvp: {sentence}")


if __name__ == "__main__":
    main()
