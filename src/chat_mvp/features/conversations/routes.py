"""HTTP routes of conversations and their members."""

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_204_NO_CONTENT

from chat_mvp.errors import ValidationError
from chat_mvp.features.conversations.schemas import (
    ConversationChanges,
    MemberChanges,
    NewConversation,
    NewMember,
    OwnChanges,
)
from chat_mvp.features.conversations.service import ConversationService
from chat_mvp.http.auth import Caller
from chat_mvp.http.openapi import problems
from chat_mvp.http.paging import Cursor, Limit, Page, decode_cursor, encode_cursor
from chat_mvp.http.params import PathId, path_id
from chat_mvp.limits import DEFAULT_LIMIT
from chat_mvp.protocol import Conversation, Member


@get("/conversations", summary="List the caller's conversations", tags=["conversations"], responses=problems(401, 422))
async def list_conversations(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Response[Page[Conversation]]:
    """Return the caller's conversations, most recent activity first. ``X-Total-Count`` says how many there are."""
    items, end, total = await conversation_service.fetch_all(
        caller.user_id,
        before=decode_cursor(cursor, tuple[str, str]),
        limit=limit,
    )
    page = Page(items=items, next=encode_cursor(end) if end is not None else None)
    return Response(page, headers={"X-Total-Count": str(total)})


@post(
    "/conversations",
    status_code=HTTP_201_CREATED,
    summary="Create a conversation",
    tags=["conversations"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def make(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    data: JSONBody[NewConversation],
) -> Response[Conversation]:
    """Create a group or channel, or the direct conversation with a user. An existing one is returned with 200."""
    if data.kind != "direct":
        return Response(await conversation_service.make(caller.user_id, data), status_code=HTTP_201_CREATED)
    if data.user_id is None:
        raise ValidationError("Give user_id to create a direct conversation.", fields={"user_id": "is missing"})
    conversation, is_new = await conversation_service.open_direct(caller.user_id, data.user_id)
    return Response(conversation, status_code=HTTP_201_CREATED if is_new else HTTP_200_OK)


@get(
    "/conversations/{conversation_id:str}",
    summary="Read a conversation",
    tags=["conversations"],
    responses=problems(401, 404),
)
async def fetch(
    caller: Caller, conversation_service: NamedDependency[ConversationService], conversation_id: PathId
) -> Conversation:
    """Return a conversation that the caller is a member of."""
    return await conversation_service.fetch(caller.user_id, path_id(conversation_id))


@patch(
    "/conversations/{conversation_id:str}",
    summary="Change a conversation",
    tags=["conversations"],
    responses=problems(400, 401, 403, 404, 422),
)
async def change(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    data: JSONBody[ConversationChanges],
) -> Conversation:
    """Change name, description, visibility, avatar, size or settings."""
    return await conversation_service.change(caller.user_id, path_id(conversation_id), data)


@delete(
    "/conversations/{conversation_id:str}",
    status_code=HTTP_204_NO_CONTENT,
    summary="Delete a conversation",
    tags=["conversations"],
    responses=problems(401, 403, 404),
)
async def remove(
    caller: Caller, conversation_service: NamedDependency[ConversationService], conversation_id: PathId
) -> None:
    """Delete a conversation for all its members."""
    await conversation_service.delete(caller.user_id, path_id(conversation_id))


@patch(
    "/conversations/{conversation_id:str}/me",
    summary="Change the caller's settings in a conversation",
    tags=["conversations"],
    responses=problems(400, 401, 403, 404, 422),
)
async def change_own(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    data: JSONBody[OwnChanges],
) -> Conversation:
    """Mute, pin or archive the conversation, save a draft, or choose its notifications."""
    return await conversation_service.change_own(caller.user_id, path_id(conversation_id), data)


@post(
    "/conversations/{conversation_id:str}/leave",
    status_code=HTTP_204_NO_CONTENT,
    summary="Leave a conversation",
    tags=["conversations"],
    responses=problems(401, 403, 404, 409),
)
async def leave(
    caller: Caller, conversation_service: NamedDependency[ConversationService], conversation_id: PathId
) -> None:
    """Leave a group or channel."""
    await conversation_service.remove_member(caller.user_id, path_id(conversation_id), caller.user_id)


@get(
    "/conversations/{conversation_id:str}/members",
    summary="List members",
    tags=["conversations"],
    responses=problems(401, 404, 422),
)
async def list_members(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[Member]:
    """Return the members of a conversation that the caller is a member of."""
    members = await conversation_service.fetch_members(
        caller.user_id,
        path_id(conversation_id),
        after=decode_cursor(cursor, str) or "",
        limit=limit + 1,
    )
    page = members[:limit]
    return Page(items=page, next=encode_cursor(page[-1].user.id) if len(members) > limit else None)


@put(
    "/conversations/{conversation_id:str}/members/{user_id:str}",
    summary="Add a member",
    tags=["conversations"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def add_member(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    user_id: PathId,
    data: JSONBody[NewMember | None] = None,
) -> Member:
    """Add a member. A user who is a member already keeps their role."""
    member, _ = await conversation_service.add_member(
        caller.user_id,
        path_id(conversation_id),
        path_id(user_id),
        data.role if data is not None else "member",
    )
    return member


@patch(
    "/conversations/{conversation_id:str}/members/{user_id:str}",
    summary="Change a role",
    tags=["conversations"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def change_role(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    user_id: PathId,
    data: JSONBody[MemberChanges],
) -> Member:
    """Give a member another role."""
    return await conversation_service.change_role(
        caller.user_id,
        path_id(conversation_id),
        path_id(user_id),
        data.role,
    )


@delete(
    "/conversations/{conversation_id:str}/members/{user_id:str}",
    status_code=HTTP_204_NO_CONTENT,
    summary="Remove a member",
    tags=["conversations"],
    responses=problems(401, 403, 404, 409),
)
async def remove_member(
    caller: Caller,
    conversation_service: NamedDependency[ConversationService],
    conversation_id: PathId,
    user_id: PathId,
) -> None:
    """Remove a member, or leave the conversation."""
    await conversation_service.remove_member(caller.user_id, path_id(conversation_id), path_id(user_id))


ROUTES: list[HTTPRouteHandler] = [
    list_conversations,
    make,
    fetch,
    change,
    remove,
    change_own,
    leave,
    list_members,
    add_member,
    change_role,
    remove_member,
]
