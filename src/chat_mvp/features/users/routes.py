"""HTTP routes of users: /users/me, /users, /users/{id}, /users/by-username/{username}."""

from typing import Annotated

from litestar import get, patch
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter

from chat_mvp.features.users.schemas import ProfilePatch
from chat_mvp.features.users.service import UserService
from chat_mvp.http.auth import Caller
from chat_mvp.http.openapi import problems
from chat_mvp.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from chat_mvp.http.params import PathId, path_id
from chat_mvp.limits import DEFAULT_LIMIT, MAX_QUERY_CHARS, MAX_USERNAME_CHARS
from chat_mvp.protocol import OwnUser, User
from chat_mvp.storable import check_storable

Query = Annotated[
    str,
    QueryParameter(max_length=MAX_QUERY_CHARS, description="Beginnings of a username or of words of a display name"),
]

Username = Annotated[str, PathParameter(max_length=MAX_USERNAME_CHARS, description="A username. Case is ignored")]


@get("/users/me", summary="Own account", tags=["users"], responses=problems(401))
async def fetch_own_account(caller: Caller, users: NamedDependency[UserService]) -> OwnUser:
    """Return the caller's account."""
    return await users.fetch_own(caller.user_id)


@patch("/users/me", summary="Change the own account", tags=["users"], responses=problems(400, 401, 422))
async def change_own_account(
    caller: Caller, users: NamedDependency[UserService], data: JSONBody[ProfilePatch]
) -> OwnUser:
    """Change the fields of the caller's account that the body names, and return it."""
    return await users.change(caller.user_id, data)


@get("/users", summary="Find users", tags=["users"], responses=problems(401, 422))
async def find_users(
    caller: Caller,
    users: NamedDependency[UserService],
    q: Query,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[User]:
    """Return users by the beginning of their username or of any word of their display name."""
    check_storable({"q": q})
    items, following = await users.search(caller.user_id, q, after=decode_cursor(cursor, str), limit=limit)
    return Page(items=items, next=None if following is None else encode_cursor(following))


@get("/users/{user_id:str}", summary="Public profile", tags=["users"], responses=problems(401, 404))
async def fetch_user(caller: Caller, users: NamedDependency[UserService], user_id: PathId) -> User:  # noqa: ARG001
    """Return the public profile of a user."""
    return await users.fetch(path_id(user_id))


@get(
    "/users/by-username/{username:str}",
    summary="Public profile by username",
    tags=["users"],
    responses=problems(401, 404),
)
async def fetch_user_by_username(
    caller: Caller,  # noqa: ARG001
    users: NamedDependency[UserService],
    username: Username,
) -> User:
    """Return the public profile of the user with this username, ignoring case."""
    return await users.fetch_by_username(username)


ROUTES: list[HTTPRouteHandler] = [
    fetch_own_account,
    change_own_account,
    find_users,
    fetch_user,
    fetch_user_by_username,
]
