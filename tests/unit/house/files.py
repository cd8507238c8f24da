"""Which files are the project's own, whatever else a checkout contains."""

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

_NOT_OURS = {"node_modules", "build", "dist", "artifacts", "test-results", "playwright-report", "web/static"}
_HIDDEN_BUT_OURS = {".ci", ".github", ".gitignore", ".editorconfig", ".npmrc"}
_CODE = {".py", ".pyi", ".ts", ".tsx", ".mts", ".mjs", ".js", ".css", ".html", ".sh", ".yml", ".yaml", ".toml"}
_CODE_WITHOUT_SUFFIX = {"justfile", "Dockerfile", "run"}
_TEXT = _CODE | {".md", ".json", ".txt", ".svg", ".conf", ".in", ""}


def text_files(root: Path) -> Iterator[Path]:
    """Yield every text file below `root` that belongs to the project."""
    for folder, names, files in os.walk(root):
        near = Path(folder).name
        names[:] = sorted(name for name in names if _NOT_OURS.isdisjoint((name, f"{near}/{name}")) and _ours(name))
        for file in sorted(files):
            path = Path(folder, file)
            if _ours(file) and (path.suffix in _TEXT or file in _HIDDEN_BUT_OURS):
                yield path


def code_files(root: Path) -> Iterator[Path]:
    """Yield every file below `root` that people write code in: not prose, not data, not what a generator wrote."""
    for path in text_files(root):
        if (path.suffix in _CODE or path.name in _CODE_WITHOUT_SUFFIX) and "generated" not in path.parts:
            yield path


def python_files(root: Path) -> Iterator[Path]:
    """Yield every Python file below `root`."""
    return (path for path in code_files(root) if path.suffix == ".py")


def _ours(name: str) -> bool:
    return name in _HIDDEN_BUT_OURS or not name.startswith((".", "__pycache__"))
