"""Local delivery: turn committed events into frames for the connections of this process, and answer the callers.

Nothing else runs after a commit. Other processes and consumers read the same events from the database.
"""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from msgspec import structs

from chat_mvp.delivery.batch import Answer, Outcome, Recorded
from chat_mvp.delivery.bus import Bus, Publication
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.events.types import (
    ConversationChanged,
    ConversationCreated,
    ConversationDeleted,
    ConversationHidden,
    ConversationShown,
    Event,
    MarksRaised,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageAdded,
    MessageChanged,
    OwnSettingsChanged,
)
from chat_mvp.protocol import (
    ConversationJoined,
    ConversationLeft,
    ConversationUpdated,
    MemberUpdated,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageNew,
    MessagePinned,
    MessageReaction,
    Receipt,
    ServerFrame,
)
from chat_mvp.protocol import MemberJoined as MemberJoinedFrame
from chat_mvp.protocol import MemberLeft as MemberLeftFrame

_CHANGE_FRAMES: dict[str, Callable[..., ServerFrame]] = {
    "edited": MessageEdited,
    "deleted": MessageDeleted,
    "reactions": MessageReaction,
    "pinned": MessagePinned,
}

_LOG = structlog.get_logger(__name__)


class LocalDelivery:
    """Delivers the outcomes of batches."""

    def __init__(self, *, bus: Bus, rosters: Rosters, receipts: Receipts, events: LocalEvents) -> None:
        """Publish frames to ``bus``. ``events`` calls the other handlers of an event, after its frames."""
        self._bus = bus
        self._rosters = rosters
        self._receipts = receipts
        self._events = events
        self._deliveries: dict[type[Event], Callable[[Any, Recorded], None]] = {
            MessageAdded: self._message_added,
            MessageChanged: self._message_changed,
            MarksRaised: self._marks_raised,
            ConversationCreated: self._conversation_created,
            ConversationShown: self._conversation_shown,
            ConversationHidden: self._conversation_hidden,
            ConversationChanged: self._conversation_changed,
            OwnSettingsChanged: self._own_settings_changed,
            ConversationDeleted: self._conversation_deleted,
            MemberJoined: self._member_joined,
            MemberChanged: self._member_changed,
            MemberLeft: self._member_left,
        }

    def deliver(self, outcomes: Sequence[Outcome], *, callers_refused: bool = False) -> None:
        """Send the events and the answers of a committed batch, in their order. Failures are logged.

        With ``callers_refused`` no caller is answered, because each already got the answer that the outcome is unknown.
        So the connections that caused the events get the events too.
        """
        for outcome in outcomes:
            try:
                if isinstance(outcome, Recorded):
                    self._deliver(structs.replace(outcome, answered_connection=None) if callers_refused else outcome)
                elif not callers_refused:
                    outcome.reply.succeed(outcome.result)
            except Exception:  # noqa: BLE001  (the batch is stored: one failure must not stop the delivery of the rest)
                _LOG.exception("delivery_failed", outcome=_name(outcome))

    def _deliver(self, recorded: Recorded) -> None:
        event = recorded.event
        self._deliveries[type(event)](event, recorded)
        self._events.apply((event,))

    # ------------------------------------------------------------------------------------------------------ messages

    def _message_added(self, event: MessageAdded, recorded: Recorded) -> None:
        message = event.message
        roster = self._rosters.get(message.conversation_id)
        if roster is not None:
            roster.reached(message.seq)
        self._publish_message(message, MessageNew(message=message, queued=False), recorded)

    def _message_changed(self, event: MessageChanged, recorded: Recorded) -> None:
        self._publish_message(event.message, _CHANGE_FRAMES[event.change](message=event.message), recorded)

    def _publish_message(self, message: Message, frame: ServerFrame, recorded: Recorded) -> None:
        self._bus.publish(
            Publication(
                audience=recorded.audience,
                frame=frame,
                conversation_id=message.conversation_id,
                rev=message.rev,
                message_id=message.id,
                answered_connection=recorded.answered_connection,
            )
        )

    def _marks_raised(self, event: MarksRaised, recorded: Recorded) -> None:
        receipt = Receipt(
            conversation_id=event.conversation_id,
            user_id=event.user_id,
            delivered_seq=event.delivered_seq,
            read_seq=event.read_seq,
        )
        self._receipts.tell(recorded.audience, receipt, answered_connection=recorded.answered_connection)

    # ------------------------------------------------------------------------------------------------- conversations

    def _conversation_created(self, event: ConversationCreated, _: Recorded) -> None:
        if event.kind == "direct":
            # A block may be set while the batch is planned. The next use reads the pair again and finds it.
            self._rosters.forget([event.conversation_id])

    def _conversation_shown(self, event: ConversationShown, _: Recorded) -> None:
        self._bus.publish(
            Publication(
                audience=(event.user_id,),
                frame=ConversationJoined(conversation=event.conversation),
                conversation_id=event.conversation.id,
                rev=event.conversation.rev,
            )
        )

    def _conversation_hidden(self, event: ConversationHidden, _: Recorded) -> None:
        self._leave((event.user_id,), event.conversation_id)

    def _conversation_changed(self, event: ConversationChanged, recorded: Recorded) -> None:
        frame = ConversationUpdated(conversation=event.conversation)
        self._bus.publish(Publication(audience=recorded.audience, frame=frame))

    def _own_settings_changed(self, event: OwnSettingsChanged, _: Recorded) -> None:
        frame = ConversationUpdated(conversation=event.conversation)
        self._bus.publish(Publication(audience=(event.user_id,), frame=frame))

    def _conversation_deleted(self, event: ConversationDeleted, recorded: Recorded) -> None:
        self._leave(recorded.audience, event.conversation_id)
        self._rosters.forget([event.conversation_id])

    # ------------------------------------------------------------------------------------------------------- members

    def _member_joined(self, event: MemberJoined, recorded: Recorded) -> None:
        frame = MemberJoinedFrame(conversation_id=event.conversation_id, member=event.member)
        self._bus.publish(Publication(audience=recorded.audience, frame=frame))

    def _member_changed(self, event: MemberChanged, recorded: Recorded) -> None:
        apart = tuple(user_id for user_id in recorded.audience if user_id in recorded.apart)
        others = tuple(user_id for user_id in recorded.audience if user_id not in recorded.apart)
        withheld = structs.replace(event.member, delivered_seq=event.joined_seq, read_seq=event.joined_seq)
        for audience, member in ((others, event.member), (apart, withheld)):
            if audience:
                frame = MemberUpdated(conversation_id=event.conversation_id, member=member)
                self._bus.publish(Publication(audience=audience, frame=frame))

    def _member_left(self, event: MemberLeft, recorded: Recorded) -> None:
        self._leave((event.user_id,), event.conversation_id)
        frame = MemberLeftFrame(conversation_id=event.conversation_id, user_id=event.user_id)
        self._bus.publish(Publication(audience=recorded.audience, frame=frame))

    def _leave(self, user_ids: tuple[str, ...], conversation_id: str) -> None:
        self._receipts.forget(user_ids, conversation_id)
        self._bus.publish(Publication(audience=user_ids, frame=ConversationLeft(conversation_id=conversation_id)))


def _name(outcome: Outcome) -> str:
    return type(outcome.reply if isinstance(outcome, Answer) else outcome.event).__name__
