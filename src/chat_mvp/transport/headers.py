"""The security headers of every answer: routes, files, errors, refused WebSockets."""

from typing import Final

_SECONDS_A_YEAR: Final = 31_536_000

_UNUSED_FEATURES: Final = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)

SECURITY_HEADERS: Final[dict[str, str]] = {
    # An answer that is not a page may load nothing, in case a browser shows it as a page.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED_FEATURES),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set unless an answer sets its own, as pages do with their Content-Security-Policy."""

_STRICT_TRANSPORT: Final = {"Strict-Transport-Security": f"max-age={_SECONDS_A_YEAR}"}


def security_headers(public_url: str | None) -> dict[str, str]:
    """Return the headers of every answer. With an https URL, they tell browsers to use only https."""
    is_secure = public_url is not None and public_url.lower().startswith("https://")
    return SECURITY_HEADERS | (_STRICT_TRANSPORT if is_secure else {})
