"""Which addresses of pictures others may be shown: a browser must load each from where it seems to point."""

import re
from urllib.parse import unquote, urlsplit

from chat_mvp.characters import line_complaint

URL_RULE = "must be an address that begins with https:// or http:// and a host, or a path that begins with one /"

_FORBIDDEN = re.compile(r"[\s\\]")
_NAMED_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*\.?")
_BEGIN = re.compile(r"https?://", re.IGNORECASE)


def url_complaint(url: str) -> str | None:
    """Return what is wrong with an address on the web or a path on this server."""
    return None if _is_plain(url) and (_is_path_here(url) or _is_on_the_web(url)) else URL_RULE


def _is_plain(url: str) -> bool:
    """Return whether an address has only characters that every browser reads alike."""
    return _FORBIDDEN.search(url) is None and line_complaint(url) is None


def _is_path_here(url: str) -> bool:
    # Read once more as some programs do that undo the percent signs before they look where it points.
    path = unquote(url.partition("?")[0].partition("#")[0])
    return path.startswith("/") and "//" not in path and "\\" not in path and line_complaint(path) is None


def _is_on_the_web(url: str) -> bool:
    if _BEGIN.match(url) is None:
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.hostname is None or port == 0 or parts.netloc.endswith(":"):
        return False
    # In brackets, urlsplit has taken nothing but an IP address.
    return "[" in parts.netloc or _NAMED_HOST.fullmatch(parts.hostname) is not None
