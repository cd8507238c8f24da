"""HTTP routes of contact lists and block lists: /contacts and below."""

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from msgspec import UNSET

from chat_mvp.features.contacts.schemas import ContactBody
from chat_mvp.features.contacts.service import ContactService
from chat_mvp.http.auth import Caller
from chat_mvp.http.openapi import problems
from chat_mvp.http.paging import Cursor, Limit, Page, decode_id_cursor, encode_cursor
from chat_mvp.http.params import PathId, path_id
from chat_mvp.limits import DEFAULT_LIMIT
from chat_mvp.protocol import Contact


@get("/contacts", summary="List contacts", tags=["contacts"], responses=problems(401, 422))
async def fetch_contacts(
    caller: Caller, contacts: NamedDependency[ContactService], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Contact]:
    """Return the caller's contact list."""
    return await _page(caller, contacts, blocked=False, limit=limit, cursor=cursor)


@get("/contacts/blocked", summary="List blocked users", tags=["contacts"], responses=problems(401, 422))
async def fetch_blocked(
    caller: Caller, contacts: NamedDependency[ContactService], limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[Contact]:
    """Return the users whom the caller has blocked. ``created_at`` is when they were blocked."""
    return await _page(caller, contacts, blocked=True, limit=limit, cursor=cursor)


@put(
    "/contacts/{user_id:str}",
    summary="Add or rename a contact",
    tags=["contacts"],
    responses=problems(400, 401, 404, 422),
)
async def add_contact(
    caller: Caller,
    contacts: NamedDependency[ContactService],
    user_id: PathId,
    data: JSONBody[ContactBody | None] = None,
) -> Contact:
    """Add a user to the caller's contact list, or rename them there."""
    nickname = UNSET if data is None else data.nickname
    return await contacts.add(caller.user_id, path_id(user_id), nickname=nickname)


@delete(
    "/contacts/{user_id:str}",
    status_code=HTTP_204_NO_CONTENT,
    summary="Remove a contact",
    tags=["contacts"],
    responses=problems(401, 404),
)
async def remove_contact(caller: Caller, contacts: NamedDependency[ContactService], user_id: PathId) -> None:
    """Remove a user from the caller's contact list."""
    await contacts.remove(caller.user_id, path_id(user_id))


@put(
    "/contacts/{user_id:str}/block",
    status_code=HTTP_204_NO_CONTENT,
    summary="Block a user",
    tags=["contacts"],
    responses=problems(401, 404, 422),
)
async def block_user(caller: Caller, contacts: NamedDependency[ContactService], user_id: PathId) -> None:
    """Stop direct messages in both directions. The other user is not notified."""
    await contacts.block(caller.user_id, path_id(user_id))


@delete(
    "/contacts/{user_id:str}/block",
    status_code=HTTP_204_NO_CONTENT,
    summary="Unblock a user",
    tags=["contacts"],
    responses=problems(401, 404),
)
async def unblock_user(caller: Caller, contacts: NamedDependency[ContactService], user_id: PathId) -> None:
    """Allow direct messages again, unless the other user has blocked the caller."""
    await contacts.unblock(caller.user_id, path_id(user_id))


ROUTES: list[HTTPRouteHandler] = [
    fetch_contacts,
    fetch_blocked,
    add_contact,
    remove_contact,
    block_user,
    unblock_user,
]


async def _page(
    caller: Caller, contacts: ContactService, *, blocked: bool, limit: int, cursor: str | None
) -> Page[Contact]:
    after = decode_id_cursor(cursor)
    items, following = await contacts.fetch_page(caller.user_id, blocked=blocked, after=after, limit=limit)
    return Page(items=items, next=None if following is None else encode_cursor(following))
