"""Frames of messages: send, edit, delete, react, delivered, read."""

from collections.abc import Awaitable
from typing import Never

from chat_mvp.features.messages.confirmations import Confirmations
from chat_mvp.features.messages.operations import Sent
from chat_mvp.features.messages.service import Draft, MessageService
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
)
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler
from chat_mvp.realtime.frame_reply import FrameReply


def message_handlers(service: MessageService, confirmations: Confirmations) -> dict[type, Handler]:
    """Return the handlers of these frames. None of them waits for the writer: the reply answers after the commit."""

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
        return service.send(connection.user_id, draft, reply=FrameReply(connection, frame.ref, _ack))

    def edit(connection: Connection, frame: MessageEdit) -> Awaitable[None] | None:
        reply = FrameReply(connection, frame.ref, _edited)
        return service.edit(connection.user_id, frame.message_id, frame.text, reply=reply)

    def delete(connection: Connection, frame: MessageDelete) -> None:
        service.delete(connection.user_id, frame.message_id, reply=FrameReply(connection, frame.ref, _deleted))

    def react(connection: Connection, frame: ReactionAdd | ReactionRemove) -> None:
        reply = FrameReply(connection, frame.ref, _reaction)
        present = isinstance(frame, ReactionAdd)
        service.react(connection.user_id, frame.message_id, frame.emoji, present=present, reply=reply)

    def delivered(connection: Connection, frame: Delivered) -> None:
        reply: FrameReply[Never] = FrameReply(connection, frame.ref)
        confirmations.raise_marks(connection.user_id, frame.conversation_id, delivered=frame.seq, reply=reply)

    def read(connection: Connection, frame: Read) -> None:
        reply: FrameReply[Never] = FrameReply(connection, frame.ref)
        marks = {"delivered": frame.seq, "read": frame.seq}
        confirmations.raise_marks(connection.user_id, frame.conversation_id, **marks, reply=reply)

    return {
        MessageSend: send,
        MessageEdit: edit,
        MessageDelete: delete,
        ReactionAdd: react,
        ReactionRemove: react,
        Delivered: delivered,
        Read: read,
    }


def _edited(message: Message) -> MessageEdited:
    return MessageEdited(message=message)


def _deleted(message: Message) -> MessageDeleted:
    return MessageDeleted(message=message)


def _reaction(message: Message) -> MessageReaction:
    return MessageReaction(message=message)


def _ack(sent: Sent) -> MessageAck:
    message = sent.record.message
    return MessageAck(
        client_message_id=message.client_message_id,
        message_id=message.id,
        conversation_id=message.conversation_id,
        seq=message.seq,
        rev=sent.record.made_rev,
        created_at=message.created_at,
        status="queued" if sent.record.status == "queued" else "sent",
        duplicate=sent.is_duplicate,
    )
