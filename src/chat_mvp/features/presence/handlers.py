"""Frames of presence."""

from chat_mvp.features.presence.service import PresenceService
from chat_mvp.protocol import PresenceSet, PresenceSnapshot, PresenceSubscribe
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler
from chat_mvp.storable import check_storable


def presence_handlers(service: PresenceService) -> dict[type, Handler]:
    """Return the handlers of these frames."""

    async def choose(connection: Connection, frame: PresenceSet) -> None:
        check_storable({"status_text": frame.status_text})
        presence = await service.choose(connection.user_id, frame.state, frame.status_text)
        connection.answer(presence, frame.ref)

    async def subscribe(connection: Connection, frame: PresenceSubscribe) -> None:
        items = await service.subscribe(connection, frame.user_ids)
        connection.answer(PresenceSnapshot(items=items), frame.ref)

    return {PresenceSet: choose, PresenceSubscribe: subscribe}
