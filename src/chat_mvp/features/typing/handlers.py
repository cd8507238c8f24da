"""Frame of typing."""

from collections.abc import Awaitable

from chat_mvp.features.typing.service import TypingService
from chat_mvp.protocol import TypingSet
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.dispatch import Handler


def typing_handlers(service: TypingService) -> dict[type, Handler]:
    """Return the handler of this frame."""

    def typing(connection: Connection, frame: TypingSet) -> Awaitable[None]:
        return service.set(connection.user_id, frame.conversation_id, frame.state, connection_id=connection.id)

    return {TypingSet: typing}
