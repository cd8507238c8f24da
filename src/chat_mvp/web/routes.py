"""The web client over HTTP: its files, and its single page for every URL inside the client."""

from typing import Any

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_304_NOT_MODIFIED, HTTP_503_SERVICE_UNAVAILABLE

from chat_mvp.errors import NotFoundError
from chat_mvp.web.files import INDEX, WebFile

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{directive} {sources}" for directive, sources in _POLICY.items())
_NOT_BUILT = "The web client was not built. Run just install, or install chat-mvp from its wheel.\n"


@get(["/", "/{path:path}"], include_in_schema=False, security=[{}], sync_to_thread=False)
def web_client(
    request: Request[Any, Any, Any],
    web_files: NamedDependency[dict[str, WebFile]],
    path: FromPath[str] = "",
) -> Response[bytes] | Response[str]:
    """Return a file of the web client, or its page, which interprets the URL itself."""
    if not web_files:
        return Response(_NOT_BUILT, status_code=HTTP_503_SERVICE_UNAVAILABLE, media_type=MediaType.TEXT)
    name = path.lstrip("/")
    file = web_files.get(name)
    if file is None:
        # Return 404 for a missing file. Only URLs that a user may have in the address bar get the page.
        if "." in name.rsplit("/", 1)[-1] or not _wants_page(request):
            raise NotFoundError("There is nothing at this URL.")
        file = web_files[INDEX]
    return _answer(request, file)


def _answer(request: Request[Any, Any, Any], file: WebFile) -> Response[bytes]:
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "ETag": file.etag}
    headers["Vary"] = "Accept-Encoding"
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if file.immutable else "no-cache"
    if file.is_among(request.headers.get("if-none-match", "")):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers, media_type=file.media_type)
    content, encoding = file.best(request.headers.get("accept-encoding", ""))
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Response(content, status_code=HTTP_200_OK, headers=headers, media_type=file.media_type)


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    accepted = request.headers.get("accept", "*/*")
    return "text/html" in accepted or "*/*" in accepted


ROUTES: list[HTTPRouteHandler] = [web_client]
