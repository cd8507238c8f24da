"""Reads one of the server's own cookies, without the parsers of the framework and the standard library.

Both parsers undo the quoting of every cookie, which takes a time that grows with the square of its length in older
Pythons (CVE-2024-7592). So they are not safe for untrusted input. Our own cookies contain only characters that need no
quoting.
"""

from chat_mvp.limits import MAX_COOKIE_CHARS, MAX_TOKEN_CHARS


def cookie_value(header: str | None, name: str) -> str | None:
    """Return the unchanged value of a cookie in a ``Cookie`` header, or ``None`` without it.

    A header over ``MAX_COOKIE_CHARS`` or a value over ``MAX_TOKEN_CHARS`` counts as missing.
    """
    if header is None or len(header) > MAX_COOKIE_CHARS:
        return None
    for cookie in header.split(";"):
        key, _, value = cookie.strip().partition("=")
        if key == name:
            return value if len(value) <= MAX_TOKEN_CHARS else None
    return None
