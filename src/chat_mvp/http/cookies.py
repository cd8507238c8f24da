"""Reading one cookie of our own. The parsers of the framework and of the standard library are not for strangers.

Both undo the quoting of every cookie, which takes a time that grows with the square of its length in older Pythons
(CVE-2024-7592). Our own cookies hold only characters that need no quoting.
"""

from chat_mvp.limits import MAX_COOKIE_CHARS, MAX_TOKEN_CHARS


def cookie_value(header: str | None, name: str) -> str | None:
    """Return the value of a cookie in a ``Cookie`` header, letter for letter; ``None`` without it.

    A header over ``MAX_COOKIE_CHARS`` and a value over ``MAX_TOKEN_CHARS`` count as none.
    """
    if header is None or len(header) > MAX_COOKIE_CHARS:
        return None
    for cookie in header.split(";"):
        key, _, value = cookie.strip().partition("=")
        if key == name:
            return value if len(value) <= MAX_TOKEN_CHARS else None
    return None
