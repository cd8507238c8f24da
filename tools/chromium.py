"""Print where Chromium is, and get it first when there is none and this machine lets us: end-to-end tests need one.

CHAT_MVP_CHROMIUM names one of your own. Ends with one sentence when there is none to be had: tests are never left out.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def main() -> None:
    """Print the path of a Chromium that exists."""
    path = find() or (fetch() and find())
    if not path:
        sys.exit(
            "chat-mvp: the end-to-end tests need Chromium: install it (for example `apt-get install chromium`), or set "
            "CHAT_MVP_CHROMIUM to the path of one."
        )
    print(path)


def find() -> str | None:
    """Look where CHAT_MVP_CHROMIUM says, then on PATH."""
    return next(filter(None, map(shutil.which, filter(None, (os.environ.get("CHAT_MVP_CHROMIUM"), *NAMES)))), None)


def fetch() -> bool:
    """Install Debian's package where we may without asking for a password; say whether that went well."""
    become = [] if os.name == "posix" and os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not shutil.which("apt-get") or (become and not shutil.which("sudo")):
        return False
    print("chat-mvp: installing Chromium for the end-to-end tests (apt-get)", file=sys.stderr, flush=True)
    commands = (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
    return all(
        subprocess.run([*become, *command], check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode == 0
        for command in commands
    )


if __name__ == "__main__":
    main()
