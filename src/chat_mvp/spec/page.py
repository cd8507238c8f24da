"""The interactive page at /schema: Swagger UI, served by this server from the package that contains its files.

The page contains no inline script or style, so it works with a strict Content-Security-Policy, which the router of
/schema sets.
"""

from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.enums import MediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.params import FromPath

from chat_mvp.errors import NotFoundError

_CARRIER: Final = "swagger-ui-py"
_CARRIED: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_OWN: Final = {"start.js": "text/javascript"}

_PAGE = b"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chat-mvp: the interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/schema/assets/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<noscript>This page needs JavaScript; the documents are openapi.json and asyncapi.json beside it.</noscript>
<script src="/schema/assets/swagger-ui-bundle.js"></script>
<script src="/schema/assets/start.js"></script>
</body>
</html>
"""


POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""


class SchemaPage(OpenAPIRenderPlugin):
    """Litestar plugin: the page, and its files below ``/schema/assets``."""

    def __init__(self) -> None:
        """Serve the page at the root of /schema."""
        super().__init__(path="/", media_type=MediaType.HTML)

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Return the page."""
        return _PAGE

    def receive_router(self, router: Router) -> None:
        """Add the page's files."""
        router.register(fetch_asset)


@get("/assets/{name:str}", sync_to_thread=True)
def fetch_asset(name: FromPath[str]) -> Response[bytes]:
    """Return one of the files of the page. ``NotFoundError`` for any other name."""
    media_type = (_OWN | _CARRIED).get(name)
    if media_type is None:
        raise NotFoundError("There is nothing at this URL.")
    return Response(_asset(name), media_type=media_type, headers={"Cache-Control": "max-age=3600"})


@cache
def _asset(name: str) -> bytes:
    # Keep one copy for all requests, so that slow readers do not hold their own copies.
    if name in _OWN:
        return files("chat_mvp.spec").joinpath("static", name).read_bytes()
    return _package_file(name).read_bytes()


def _package_file(name: str) -> Path:
    # Find the package without importing it: its code is not needed.
    return Path(str(distribution(_CARRIER).locate_file(f"swagger_ui/static/{name}")))
