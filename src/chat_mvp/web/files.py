"""The files of the web client, read once at the start and kept with their compressed forms."""

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

Encoding = Literal["br", "gzip"]

INDEX = "index.html"
_WEIGHT = re.compile(r"q=(\d(?:\.\d{0,3})?)", re.IGNORECASE)
_SUFFIXES: dict[str, Encoding] = {".br": "br", ".gz": "gzip"}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
}


class WebFile(Struct, frozen=True):
    """One file: its bytes, plain and compressed, and its headers."""

    content: bytes
    compressed: dict[Encoding, bytes]
    media_type: str
    etag: str
    immutable: bool
    """Whether its name contains a hash of its content, so that browsers may cache it forever."""

    def best(self, accepted: str) -> tuple[bytes, Encoding | None]:
        """Return the smallest form that an ``Accept-Encoding`` allows."""
        offered = {name for name, quality in _weighted(accepted) if quality > 0}
        for encoding in ("br", "gzip"):
            if encoding in offered and encoding in self.compressed:
                return self.compressed[encoding], encoding
        return self.content, None

    def is_among(self, etags: str) -> bool:
        """Return whether an ``If-None-Match`` names this file (RFC 9110 section 13.1.2)."""
        listed = {part.strip().removeprefix("W/") for part in etags.split(",")}
        return not listed.isdisjoint({self.etag, "*"})


def load_files(directory: Path) -> dict[str, WebFile]:
    """Return the files below a directory by their path in a URL. Empty when the client was not built."""
    if not (directory / INDEX).is_file():
        return {}
    paths = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.suffix not in _SUFFIXES]
    return {path.relative_to(directory).as_posix(): _load(path, directory) for path in paths}


def _weighted(accepted: str) -> Iterator[tuple[str, float]]:
    """Yield the parts of an ``Accept-Encoding`` with their weights, which are 1 where none is given (RFC 9110)."""
    for part in accepted.split(","):
        name, _, parameter = part.partition(";")
        weight = _WEIGHT.fullmatch(parameter.strip())
        yield name.strip().lower(), float(weight[1]) if weight else 1.0


def _load(path: Path, directory: Path) -> WebFile:
    content = path.read_bytes()
    compressed = {
        encoding: sibling.read_bytes()
        for suffix, encoding in _SUFFIXES.items()
        if (sibling := path.with_name(path.name + suffix)).is_file()
    }
    return WebFile(
        content=content,
        compressed=compressed,
        media_type=_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        etag=f'"{hashlib.sha256(content).hexdigest()[:20]}"',
        immutable=path.relative_to(directory).parts[0] == "assets",
    )
