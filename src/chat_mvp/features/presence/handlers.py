"""Handlers of the presence frames."""

from chat_mvp.characters import line_complaint
from chat_mvp.errors import ValidationError
from chat_mvp.features.presence.service import PresenceService
from chat_mvp.protocol import PresenceSet, PresenceSnapshot, PresenceSubscribe
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler


def presence_handlers(service: PresenceService) -> dict[type, Handler]:
    """Return the handlers of these frames."""

    async def choose(connection: Connection, frame: PresenceSet) -> None:
        if frame.status_text is not None and (complaint := line_complaint(frame.status_text)) is not None:
            raise ValidationError(f"status_text {complaint}.", fields={"status_text": complaint})
        presence = await service.choose(connection.user_id, frame.state, frame.status_text, asked_by=connection)
        connection.answer(presence, frame.ref)

    async def subscribe(connection: Connection, frame: PresenceSubscribe) -> None:
        items = await service.subscribe(connection, frame.user_ids)
        connection.answer(PresenceSnapshot(items=items), frame.ref)

    return {PresenceSet: choose, PresenceSubscribe: subscribe}
