"""Which pages may use the server from a browser, decided by headers that browsers set and pages cannot change."""

from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_allowed_origin(
    origin: str | None, host: str | None, allowed: Collection[str], *, is_secure: bool = False
) -> bool:
    """Return whether a client with this ``origin`` may connect: the server's own, an allowed one, or none.

    Only browsers send ``Origin``, and only they send someone's cookies along; other clients need their token anyway.
    ``is_secure``: the request came over TLS, as far as the server knows. Then a page that came without TLS is not the
    server's own, because anyone on the network can change such a page. The opposite is allowed: a proxy may end TLS.
    """
    if origin is None or origin in allowed:
        return True
    try:
        page = urlsplit(origin)
        return (
            page.scheme in _DEFAULT_PORTS
            and host is not None
            and "@" not in origin + host
            and _host_and_port(page.scheme, page.netloc) == _host_and_port(page.scheme, host)
            and (page.scheme == "https" or not (is_secure or f"https://{page.netloc.lower()}" in allowed))
        )
    except ValueError:
        # One of the two is not a valid address.
        return False


def _host_and_port(scheme: str, netloc: str) -> tuple[str, int]:
    parts = urlsplit(f"//{netloc}")
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS[scheme]


def is_allowed_page(
    origin: str | None, site: str | None, host: str | None, allowed: Collection[str], *, is_secure: bool = False
) -> bool:
    """Return whether a request may use cookies: it comes from an allowed origin, or from a client that is not a page.

    ``site`` is the header ``Sec-Fetch-Site``. It is used when a browser leaves ``Origin`` out. Then the page must have
    the same origin, or the user must have opened the URL directly (``none``).
    """
    if origin is not None:
        return is_allowed_origin(origin, host, allowed, is_secure=is_secure)
    return site is None or site.lower() in {"same-origin", "none"}
