"""Which pages may use the server from a browser, judged by headers that browsers set and pages cannot change."""

from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_allowed_origin(origin: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Return whether a page from ``origin`` may connect: the server's own, an allowed one, or no page at all.

    Only browsers send ``Origin``, and only they send someone's cookies along; other clients need their token anyway.
    """
    if origin is None or origin in allowed:
        return True
    try:
        page = urlsplit(origin)
        return (
            page.scheme in _DEFAULT_PORTS
            and host is not None
            and "@" not in origin + host
            and _place(page.scheme, page.netloc) == _place(page.scheme, host)
        )
    except ValueError:
        # One of the two is no address at all.
        return False


def _place(scheme: str, netloc: str) -> tuple[str, int]:
    parts = urlsplit(f"//{netloc}")
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS[scheme]


def is_allowed_page(origin: str | None, site: str | None, host: str | None, allowed: Collection[str]) -> bool:
    """Return whether a request may use cookies: it comes from an allowed origin, or from no page.

    ``site`` is the header ``Sec-Fetch-Site``. It counts where a browser leaves ``Origin`` out: then the page must be of
    the same origin, or the user must have opened the address themselves (``none``).
    """
    if origin is not None:
        return is_allowed_origin(origin, host, allowed)
    return site is None or site.lower() in {"same-origin", "none"}
