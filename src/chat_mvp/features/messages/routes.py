"""HTTP routes of messages: history, sending, editing, deleting, reactions, pins, receipts, earlier texts, changes."""

from datetime import datetime
from typing import Annotated
from urllib.parse import unquote

from litestar import Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from chat_mvp.delivery.reply import await_reply
from chat_mvp.errors import ValidationError
from chat_mvp.features.messages.history import MessageHistory
from chat_mvp.features.messages.schemas import (
    ChangePage,
    Edit,
    EditBody,
    EditList,
    MemberReceipt,
    MessagePage,
    PinnedList,
    ReceiptList,
    SendBody,
    TimedPage,
)
from chat_mvp.features.messages.service import Draft, MessageService
from chat_mvp.features.messages.sync import MessageSync, PagePosition
from chat_mvp.http.auth import Caller
from chat_mvp.http.openapi import problems
from chat_mvp.http.paging import Cursor, Limit, decode_cursor, encode_cursor
from chat_mvp.http.params import ID_CHARS, PathId, path_id, query_id
from chat_mvp.limits import DEFAULT_LIMIT, MAX_EMOJI_CHARS, MAX_SEQ, MAX_TIME_CHARS, MIN_YEAR
from chat_mvp.protocol import Message, ReceiptState
from chat_mvp.storage.records import Marks
from chat_mvp.times import format_optional, format_time, parse_time

# Litestar leaves a bound of 0 out of the OpenAPI document.
_FROM_0 = {"minimum": 0}
Seq = Annotated[int | None, QueryParameter(ge=0, le=MAX_SEQ, description="A sequence number", schema_extra=_FROM_0)]
# In a path, each byte may be percent-encoded, which takes three characters.
Emoji = Annotated[str, PathParameter(max_length=12 * MAX_EMOJI_CHARS, description="One emoji")]
ConversationId = Annotated[str, QueryParameter(max_length=ID_CHARS, description="24 hexadecimal digits")]
Moment = Annotated[str, QueryParameter(max_length=MAX_TIME_CHARS, description="An RFC 3339 time with an offset")]
Rev = Annotated[int, QueryParameter(ge=0, le=MAX_SEQ, description="A revision", schema_extra=_FROM_0)]


@get(
    "/conversations/{conversation_id:str}/messages",
    summary="Read the history",
    tags=["messages"],
    responses=problems(401, 404, 422),
)
async def history(
    caller: Caller,
    message_history: NamedDependency[MessageHistory],
    conversation_id: PathId,
    before: Seq = None,
    after: Seq = None,
    around: Seq = None,
    limit: Limit = DEFAULT_LIMIT,
) -> MessagePage:
    """Return messages by ascending ``seq``: the newest page, or the page before, after or around a ``seq``."""
    items = await message_history.fetch_page(
        caller.user_id,
        path_id(conversation_id),
        before=before,
        after=after,
        around=around,
        limit=limit,
    )
    return MessagePage(items=items)


@get(
    "/conversations/{conversation_id:str}/pins",
    summary="List pinned messages",
    tags=["messages"],
    responses=problems(401, 404),
)
async def pins(caller: Caller, message_history: NamedDependency[MessageHistory], conversation_id: PathId) -> PinnedList:
    """Return the pinned messages that the caller may see, the newest first."""
    return PinnedList(items=await message_history.fetch_pinned(caller.user_id, path_id(conversation_id)))


@post(
    "/conversations/{conversation_id:str}/messages",
    status_code=HTTP_201_CREATED,
    summary="Send a message",
    tags=["messages"],
    responses=problems(400, 401, 403, 404, 422),
)
async def send(
    caller: Caller,
    message_service: NamedDependency[MessageService],
    conversation_id: PathId,
    data: JSONBody[SendBody],
) -> Response[Message]:
    """Send a message. Returns 200 with the first message if this ``client_message_id`` was used before."""
    draft = Draft(
        client_message_id=data.client_message_id,
        text=data.text,
        conversation_id=path_id(conversation_id),
        attachments=tuple(data.attachments),
        reply_to=data.reply_to,
        thread_root=data.thread_root,
        priority=data.priority,
    )
    message, duplicate = await message_service.send_and_wait(caller.user_id, draft)
    return Response(message, status_code=HTTP_200_OK if duplicate else HTTP_201_CREATED)


@get(
    "/messages/sync",
    summary="Read changes since a time",
    tags=["messages"],
    responses=problems(401, 422),
)
async def sync_since(
    caller: Caller,
    message_sync: NamedDependency[MessageSync],
    after: Moment,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> TimedPage:
    """Return the messages of all the caller's conversations created or changed after a time, in their current state.

    Pass ``server_time`` as ``after`` in the next request. It is the same on every page.
    """
    changes = await message_sync.fetch(
        caller.user_id,
        _moment("after", after),
        start=decode_cursor(cursor, PagePosition),
        limit=limit,
    )
    return TimedPage(
        items=changes.messages,
        next=None if changes.next is None else encode_cursor(changes.next),
        server_time=format_time(changes.server_time),
    )


@get("/messages/{message_id:str}", summary="Read one message", tags=["messages"], responses=problems(401, 404))
async def fetch(caller: Caller, message_history: NamedDependency[MessageHistory], message_id: PathId) -> Message:
    """Return the current state of a message."""
    _, _, message = await message_history.find(caller.user_id, path_id(message_id))
    return message


@patch(
    "/messages/{message_id:str}",
    summary="Edit a message",
    tags=["messages"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
async def edit(
    caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId, data: JSONBody[EditBody]
) -> Message:
    """Replace the text of the caller's own message."""
    target = path_id(message_id)
    return await await_reply(lambda reply: message_service.edit(caller.user_id, target, data.text, reply=reply))


@delete(
    "/messages/{message_id:str}",
    status_code=HTTP_200_OK,
    summary="Delete a message",
    tags=["messages"],
    responses=problems(401, 403, 404, 409),
)
async def remove(caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId) -> Message:
    """Delete the content of a message. Its ``seq`` remains."""
    target = path_id(message_id)
    return await await_reply(lambda reply: message_service.delete(caller.user_id, target, reply=reply))


@put(
    "/messages/{message_id:str}/reactions/{emoji:str}",
    summary="Add a reaction",
    tags=["messages"],
    responses=problems(401, 403, 404, 409, 422),
)
async def add_reaction(
    caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId, emoji: Emoji
) -> Message:
    """Add a reaction of the caller."""
    target, wanted = path_id(message_id), _emoji(emoji)
    return await await_reply(
        lambda reply: message_service.react(caller.user_id, target, wanted, present=True, reply=reply)
    )


@delete(
    "/messages/{message_id:str}/reactions/{emoji:str}",
    status_code=HTTP_200_OK,
    summary="Remove a reaction",
    tags=["messages"],
    responses=problems(401, 403, 404, 409, 422),
)
async def remove_reaction(
    caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId, emoji: Emoji
) -> Message:
    """Remove a reaction of the caller."""
    target, wanted = path_id(message_id), _emoji(emoji)
    return await await_reply(
        lambda reply: message_service.react(caller.user_id, target, wanted, present=False, reply=reply)
    )


@put(
    "/messages/{message_id:str}/pin",
    summary="Pin a message",
    tags=["messages"],
    responses=problems(401, 403, 404, 409),
)
async def pin(caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId) -> Message:
    """Pin a message for everyone in the conversation."""
    target = path_id(message_id)
    return await await_reply(lambda reply: message_service.pin(caller.user_id, target, pinned=True, reply=reply))


@delete(
    "/messages/{message_id:str}/pin",
    status_code=HTTP_200_OK,
    summary="Unpin a message",
    tags=["messages"],
    responses=problems(401, 403, 404, 409),
)
async def unpin(caller: Caller, message_service: NamedDependency[MessageService], message_id: PathId) -> Message:
    """Unpin a message for everyone in the conversation."""
    target = path_id(message_id)
    return await await_reply(lambda reply: message_service.pin(caller.user_id, target, pinned=False, reply=reply))


@get(
    "/messages/{message_id:str}/receipts",
    summary="Read the receipts of a message",
    tags=["messages"],
    responses=problems(401, 404),
)
async def receipts(caller: Caller, message_history: NamedDependency[MessageHistory], message_id: PathId) -> ReceiptList:
    """Return the receipts of the other users who were members when the message was sent."""
    seq, marks = await message_history.fetch_marks(caller.user_id, path_id(message_id))
    return ReceiptList(items=[_receipt(user_id, member_marks, seq) for user_id, member_marks in marks.items()])


@get(
    "/messages/{message_id:str}/edits",
    summary="Read the earlier texts of a message",
    tags=["messages"],
    responses=problems(401, 404),
)
async def edits(caller: Caller, message_history: NamedDependency[MessageHistory], message_id: PathId) -> EditList:
    """Return the earlier texts, oldest first."""
    pairs = await message_history.fetch_edits(caller.user_id, path_id(message_id))
    return EditList(items=[Edit(text=text, at=at) for text, at in pairs])


@get("/sync", summary="Read the changes in a conversation", tags=["messages"], responses=problems(401, 404, 422))
async def sync(
    caller: Caller,
    message_history: NamedDependency[MessageHistory],
    conversation_id: ConversationId,
    after_rev: Rev = 0,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> ChangePage:
    """Return every message changed after a revision, in its current state, by ascending ``rev``."""
    position = min(decode_cursor(cursor, int) or 0, MAX_SEQ)
    messages, rev = await message_history.fetch_changes(
        caller.user_id,
        query_id("conversation_id", conversation_id) or "",
        after_rev=max(after_rev, position),
        limit=limit + 1,
    )
    more = len(messages) > limit
    page = messages[:limit]
    return ChangePage(items=page, next=encode_cursor(page[-1].rev) if more else None, rev=rev)


ROUTES: list[HTTPRouteHandler] = [
    history,
    pins,
    send,
    sync_since,
    fetch,
    edit,
    remove,
    add_reaction,
    remove_reaction,
    pin,
    unpin,
    receipts,
    edits,
    sync,
]


def _emoji(text: str) -> str:
    emoji = unquote(text)
    if not 1 <= len(emoji) <= MAX_EMOJI_CHARS:
        raise ValidationError("A reaction must be one emoji.", fields={"emoji": "is not one emoji"})
    return emoji


def _moment(name: str, text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError:
        detail = f"is not an RFC 3339 time with an offset, from {MIN_YEAR} to 9999"
        raise ValidationError(f"{name} {detail}.", fields={name: detail}) from None


def _receipt(user_id: str, marks: Marks, seq: int) -> MemberReceipt:
    state: ReceiptState = "queued"
    at: datetime | None = None
    if marks.read_seq >= seq:
        state, at = "read", marks.read_at
    elif marks.delivered_seq >= seq:
        state, at = "delivered", marks.delivered_at
    return MemberReceipt(user_id=user_id, state=state, at=format_optional(at))
