"""What this process does when events are committed, in the order in which it does it."""

from collections.abc import Awaitable

from chat_mvp.assembly.engine import Engine
from chat_mvp.assembly.foundation import Foundation
from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.events.types import (
    BlockChanged,
    ConversationDeleted,
    ConversationHidden,
    ConversationShown,
    Event,
    MarksRaised,
    MemberJoined,
    MemberLeft,
    MessageAdded,
    ProfileChanged,
    SessionEnded,
)
from chat_mvp.features.messages.marks import WithheldMarks
from chat_mvp.features.presence.service import PresenceService
from chat_mvp.protocol import CLOSE_UNAUTHENTICATED
from chat_mvp.security.authentication import Authenticator
from chat_mvp.storage.conversations import Conversations, direct_key


def react(
    base: Foundation,
    engine: Engine,
    *,
    authenticator: Authenticator,
    presence_service: PresenceService,
    withheld_marks: WithheldMarks,
) -> None:
    """Register the handlers of events."""

    def refuse_tokens(event: SessionEnded) -> None:
        authenticator.end_session(event.session_id)

    def close_connections(event: SessionEnded) -> None:
        engine.registry.end_session(event.user_id, event.session_id, CLOSE_UNAUTHENTICATED, "signed out")

    def block_changed(event: BlockChanged) -> Awaitable[None] | None:
        owner_id, other_id = event.owner_id, event.other_id
        if other_id not in (engine.blocks.known(owner_id) or ()):
            # Before the block counts: after that, no `stop` would reach the other.
            engine.typing.stop(owner_id)
            engine.typing.stop(other_id)
        engine.blocks.changed(owner_id, other_id, event.blocked)
        engine.rosters.forget_direct(direct_key(owner_id, other_id))
        if event.blocked:
            presence_service.part(owner_id, other_id)
            return None
        return show_again(owner_id, other_id)

    def send_block(event: BlockChanged) -> Awaitable[None]:
        return engine.block_updates.send(event.owner_id, event.other_id, event.blocked)

    async def show_again(owner_id: str, other_id: str) -> None:
        await presence_service.unblocked(owner_id, other_id)
        await withheld_marks.show_in_direct(owner_id, other_id)

    def renew_profile(event: ProfileChanged) -> None:
        base.directory.forget(event.user.id)
        engine.rosters.note_profile(event.user)

    def send_profile(event: ProfileChanged) -> None:
        engine.profile_updates.send(event.user)

    # First of all the tokens: a connection that begins now must not come after the others were closed.
    base.local_events.on(SessionEnded, refuse_tokens)
    base.local_events.on(SessionEnded, close_connections)
    base.local_events.on(BlockChanged, block_changed)
    base.local_events.on(BlockChanged, send_block)
    base.local_events.on(ProfileChanged, renew_profile)
    base.local_events.on(ProfileChanged, send_profile)
    base.local_events.on(MessageAdded, engine.typing.message_added)
    base.local_events.on(MessageAdded, engine.sweep.message_added)
    base.local_events.on(ConversationShown, presence_service.conversation_shown)
    # A deleted conversation leaves a job behind.
    base.local_events.on(ConversationDeleted, lambda _: engine.jobs.wake())
    _forget_marks(base.local_events, base.conversations)


def _forget_marks(events: LocalEvents, conversations: Conversations) -> None:
    """Read the lowest marks of a conversation again after its marks or its members have changed."""

    def marks_changed(event: Event) -> None:
        assert isinstance(event, MarksRaised | MemberJoined | MemberLeft | ConversationHidden)  # noqa: S101
        conversations.forget_marks(event.conversation_id)

    for changes_marks in (MarksRaised, MemberJoined, MemberLeft, ConversationHidden):
        events.on(changes_marks, marks_changed)
    events.on(ConversationShown, lambda event: conversations.forget_marks(event.conversation.id))
