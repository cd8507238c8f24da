"""Frames of messages: send, edit, delete, react, delivered, read."""

from collections.abc import Awaitable, Callable

from msgspec import UNSET, UnsetType

from chat_mvp.errors import ChatError
from chat_mvp.features.messages.service import Asker, Draft, MessageService
from chat_mvp.protocol import (
    Delivered,
    Message,
    MessageAck,
    MessageDelete,
    MessageDeleted,
    MessageEdit,
    MessageEdited,
    MessageReaction,
    MessageSend,
    ReactionAdd,
    ReactionRemove,
    Read,
    Ref,
    ServerFrame,
)
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler
from chat_mvp.storage.records import MessageRecord


def message_handlers(service: MessageService) -> dict[type, Handler]:
    """Return the handlers of these frames. None waits for the writer: answers come when the batch is committed."""

    def send(connection: Connection, frame: MessageSend) -> Awaitable[None] | None:
        draft = Draft(
            client_message_id=frame.client_message_id,
            text=frame.text,
            conversation_id=frame.conversation_id,
            to=frame.to,
            attachments=tuple(frame.attachments),
            reply_to=frame.reply_to,
            thread_root=frame.thread_root,
            priority=frame.priority,
        )

        def done(record: MessageRecord, duplicate: bool) -> None:
            connection.answer(_ack(record, frame.ref, duplicate=duplicate))

        return service.send(_asker(connection), draft, done=done, refuse=_refuser(connection, frame.ref))

    def edit(connection: Connection, frame: MessageEdit) -> Awaitable[None] | None:
        return service.edit(
            _asker(connection),
            frame.message_id,
            frame.text,
            done=_answerer(connection, lambda message: MessageEdited(ref=_ref(frame.ref), message=message)),
            refuse=_refuser(connection, frame.ref),
        )

    def delete(connection: Connection, frame: MessageDelete) -> None:
        service.delete(
            _asker(connection),
            frame.message_id,
            done=_answerer(connection, lambda message: MessageDeleted(ref=_ref(frame.ref), message=message)),
            refuse=_refuser(connection, frame.ref),
        )

    def react(connection: Connection, frame: ReactionAdd | ReactionRemove) -> None:
        service.react(
            _asker(connection),
            frame.message_id,
            frame.emoji,
            present=isinstance(frame, ReactionAdd),
            done=_answerer(connection, lambda message: MessageReaction(ref=_ref(frame.ref), message=message)),
            refuse=_refuser(connection, frame.ref),
        )

    def delivered(connection: Connection, frame: Delivered) -> None:
        service.raise_marks(
            connection.user_id,
            connection.id,
            frame.conversation_id,
            delivered=frame.seq,
            refuse=_refuser(connection, frame.ref),
        )

    def read(connection: Connection, frame: Read) -> None:
        service.raise_marks(
            connection.user_id,
            connection.id,
            frame.conversation_id,
            delivered=frame.seq,
            read=frame.seq,
            refuse=_refuser(connection, frame.ref),
        )

    return {
        MessageSend: send,
        MessageEdit: edit,
        MessageDelete: delete,
        ReactionAdd: react,
        ReactionRemove: react,
        Delivered: delivered,
        Read: read,
    }


def _asker(connection: Connection) -> Asker:
    return Asker(connection.user_id, connection.id)


def _ref(ref: Ref | None) -> Ref | UnsetType:
    return UNSET if ref is None else ref


def _refuser(connection: Connection, ref: Ref | None) -> Callable[[ChatError], None]:
    return lambda error: connection.answer_error(error, ref)


def _answerer(connection: Connection, frame: Callable[[Message], ServerFrame]) -> Callable[[Message], None]:
    return lambda message: connection.answer(frame(message))


def _ack(record: MessageRecord, ref: Ref | None, *, duplicate: bool) -> MessageAck:
    message = record.message
    return MessageAck(
        ref=_ref(ref),
        client_message_id=message.client_message_id,
        message_id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        rev=record.made_rev,
        created_at=message.created_at,
        status="queued" if record.status == "queued" else "sent",
        duplicate=duplicate,
    )
