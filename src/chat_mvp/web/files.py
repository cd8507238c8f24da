"""The files of the web client, read once at the start and kept with their compressed forms."""

import hashlib
import mimetypes
from pathlib import Path
from typing import Literal

from msgspec import Struct

Encoding = Literal["br", "gzip"]

INDEX = "index.html"
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
        offered = {part.split(";")[0].strip() for part in accepted.split(",")}
        for encoding in ("br", "gzip"):
            if encoding in offered and encoding in self.compressed:
                return self.compressed[encoding], encoding
        return self.content, None


def load_files(directory: Path) -> dict[str, WebFile]:
    """Return the files below a directory by their path in a URL. Empty when the client was not built."""
    if not (directory / INDEX).is_file():
        return {}
    paths = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.suffix not in _SUFFIXES]
    return {path.relative_to(directory).as_posix(): _load(path, directory) for path in paths}


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
