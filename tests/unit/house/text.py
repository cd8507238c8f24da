"""Rules that need no syntax tree: length, leftovers, and what must never be in a file."""

import re
from collections.abc import Iterable
from pathlib import Path

MAX_LINES = 600
"""The very most; about half of it is usual."""

# The brackets in the patterns keep this file from breaking its own rules.
_LEFTOVER = re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b")
_MACHINE_PATH = re.compile(r"/(?:work|root)/|/(?:home|Users)/\w|/bash[_]jobs|[A-Z]:\\\\?Users")
_PACKAGE_HOST = re.compile(
    r"npmjs\.(?:org|com)|pypi\.(?:python\.)?org|python[h]osted|yarnpkg\.com|index[-]url\b|find[-]links\b|^\s*registry\s*=\s*[a-z]+:",
    re.MULTILINE,
)
_SKIPPED_SCRIPT_TEST = re.compile(r"\b(?:it|test|describe)\.(?:skip|only|todo|fixme)\b|\bx(?:it|describe|test)\(")


def long_files(files: Iterable[Path]) -> list[str]:
    """Complain of files with more than `MAX_LINES` lines."""
    counted = ((path, len(_read(path).splitlines())) for path in files)
    return [f"{path}: {lines} lines, at most {MAX_LINES}" for path, lines in counted if lines > MAX_LINES]


def leftovers(files: Iterable[Path]) -> list[str]:
    """Complain of marks for work that was put off: it is done now, or it stands where people look for it."""
    return _matches(files, _LEFTOVER, "unfinished work")


def machine_paths(files: Iterable[Path]) -> list[str]:
    """Complain of absolute paths that exist on one machine only."""
    return _matches(files, _MACHINE_PATH, "a path of one machine")


def package_hosts(files: Iterable[Path]) -> list[str]:
    """Complain of package registries by name: which one is used is the affair of the machine that installs."""
    return _matches(files, _PACKAGE_HOST, "a package registry")


def skipped_script_tests(files: Iterable[Path]) -> list[str]:
    """Complain of tests of the web client that are skipped, put off, or that keep all others from running."""
    return _matches(files, _SKIPPED_SCRIPT_TEST, "a skipped test")


def _matches(files: Iterable[Path], pattern: re.Pattern[str], what: str) -> list[str]:
    return [
        f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {what}: {found.group().strip()}"
        for path in files
        for text in [_read(path)]
        for found in pattern.finditer(text)
    ]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
