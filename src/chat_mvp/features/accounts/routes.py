"""HTTP routes of accounts: /auth/register, /auth/login, /auth/refresh, /auth/logout, /auth/logout-all."""

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from chat_mvp.characters import has_visible, name_complaint, to_line
from chat_mvp.errors import UnauthenticatedError, ValidationError
from chat_mvp.features.accounts.schemas import LoginBody, RefreshBody, RegisterBody, Registered, SignedIn
from chat_mvp.features.accounts.service import AccountService, Device, Session
from chat_mvp.http.auth import Caller
from chat_mvp.http.budgets import address_of
from chat_mvp.http.cookies import cookie_value
from chat_mvp.http.leaving import while_connected
from chat_mvp.http.openapi import OPEN, problems
from chat_mvp.http.router import AUTH_PATH
from chat_mvp.limits import MAX_DEVICE_NAME_CHARS, MAX_OPEN_BODY_BYTES

COOKIE = "__Secure-chat_refresh"
"""With this prefix, browsers accept it only as a ``Secure`` cookie. ``__Host-`` would send it to every path."""
DEVICE_COOKIE = "__Secure-chat_device"
_DEVICE_COOKIE_S = 365 * 24 * 60 * 60

# Answers that contain tokens must not be cached.
_NO_STORE = {"Cache-Control": "no-store"}
_NO_COOKIE = Cookie(key=COOKIE, value="", path=AUTH_PATH, httponly=True, secure=True, samesite="strict", max_age=0)


@post(
    "/auth/register",
    status_code=HTTP_201_CREATED,
    summary="Create an account",
    tags=["accounts"],
    security=OPEN,
    request_max_body_size=MAX_OPEN_BODY_BYTES,
    responses=problems(400, 403, 409, 422),
)
async def register(
    request: Request[Any, Any, Any], data: JSONBody[RegisterBody], accounts: NamedDependency[AccountService]
) -> Response[Registered]:
    """Create an account and sign it in."""
    device = _device(request, None)
    work = accounts.register(
        username=data.username,
        email=data.email,
        password=data.password,
        display_name=data.display_name,
        device=device,
    )
    session = await while_connected(request, work)
    answer = Registered(**_fields(session))
    return Response(answer, cookies=_cookies(session, accounts, device), headers=_NO_STORE)


@post(
    "/auth/login",
    status_code=HTTP_200_OK,
    summary="Sign in",
    tags=["accounts"],
    security=OPEN,
    request_max_body_size=MAX_OPEN_BODY_BYTES,
    responses=problems(400, 401, 422),
)
async def login(
    request: Request[Any, Any, Any], data: JSONBody[LoginBody], accounts: NamedDependency[AccountService]
) -> Response[SignedIn]:
    """Sign in by username or e-mail address."""
    device = _device(request, data.device_name)
    work = accounts.login(login=data.login, password=data.password, device=device)
    session = await while_connected(request, work)
    answer = SignedIn(**_fields(session))
    return Response(answer, cookies=_cookies(session, accounts, device), headers=_NO_STORE)


@post(
    "/auth/refresh",
    status_code=HTTP_200_OK,
    summary="Get a new pair of tokens",
    description=f"Exchange a refresh token, from the body, or without one from the cookie `{COOKIE}`, for a new pair.",
    tags=["accounts"],
    security=OPEN,
    request_max_body_size=MAX_OPEN_BODY_BYTES,
    responses=problems(400, 401, 422),
)
async def refresh(
    request: Request[Any, Any, Any],
    accounts: NamedDependency[AccountService],
    data: JSONBody[RefreshBody | None] = None,
) -> Response[SignedIn]:
    """Exchange a refresh token, from the body or the cookie, for a new pair."""
    token = data.refresh_token if data is not None else None
    if token is None:
        token = cookie_value(request.headers.get("cookie"), COOKIE)
    if token is None:
        raise UnauthenticatedError("There is no refresh token in the body or the cookie. Sign in again.")
    return _signed_in(await accounts.refresh(token, address=address_of(request)), accounts)


@post("/auth/logout", status_code=HTTP_204_NO_CONTENT, summary="Sign out", tags=["accounts"], responses=problems(401))
async def logout(caller: Caller, accounts: NamedDependency[AccountService]) -> Response[None]:
    """End this session. Its WebSockets are closed with 4401."""
    await accounts.logout(caller)
    return Response(None, cookies=[_NO_COOKIE])


@post(
    "/auth/logout-all",
    status_code=HTTP_204_NO_CONTENT,
    summary="Sign out everywhere",
    tags=["accounts"],
    responses=problems(401),
)
async def logout_all(caller: Caller, accounts: NamedDependency[AccountService]) -> Response[None]:
    """End every session of the caller. Their WebSockets are closed with 4401."""
    await accounts.logout_all(caller)
    return Response(None, cookies=[_NO_COOKIE])


ROUTES: list[HTTPRouteHandler] = [register, login, refresh, logout, logout_all]


def _signed_in(session: Session, accounts: AccountService) -> Response[SignedIn]:
    return Response(SignedIn(**_fields(session)), cookies=[_cookie(session, accounts)], headers=_NO_STORE)


def _fields(session: Session) -> dict[str, Any]:
    return msgspec.structs.asdict(session)


def _cookies(session: Session, accounts: AccountService, device: Device) -> list[Cookie]:
    mark = accounts.new_device_mark(device, session.user.id)
    refresh_cookie = _cookie(session, accounts)
    if mark is None:
        return [refresh_cookie]
    device_cookie = Cookie(
        key=DEVICE_COOKIE,
        value=mark,
        path=AUTH_PATH,
        httponly=True,
        secure=True,
        samesite="strict",
        max_age=_DEVICE_COOKIE_S,
    )
    return [refresh_cookie, device_cookie]


def _cookie(session: Session, accounts: AccountService) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=session.refresh_token,
        path=AUTH_PATH,
        httponly=True,
        secure=True,
        samesite="strict",
        max_age=int(accounts.session_lifetime.total_seconds()),
    )


def _device(request: Request[Any, Any, Any], name: str | None) -> Device:
    if name is None or not name.strip():
        # The text of the browser is stored unchanged, as far as it is storable.
        name = to_line(request.headers.get("user-agent", "")[:MAX_DEVICE_NAME_CHARS])
        name = name if has_visible(name) else "unknown device"
    elif complaint := name_complaint(name):
        raise ValidationError(f"device_name {complaint}.", fields={"device_name": complaint})
    return Device(
        name=name,
        address=request.client.host if request.client else "",
        mark=cookie_value(request.headers.get("cookie"), DEVICE_COOKIE),
    )
