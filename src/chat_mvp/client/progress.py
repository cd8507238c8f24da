"""What a client has received of each conversation, which it tells the server when it reconnects."""

from collections.abc import Iterable
from itertools import islice

from chat_mvp.limits import MAX_KNOWN
from chat_mvp.protocol import (
    AnyServerFrame,
    ConversationLeft,
    ConversationReset,
    ConversationState,
    Drained,
    MessageAck,
    MessageChanged,
    MessageDeleted,
    MessageEdited,
    MessageNew,
    MessagePinned,
    MessageReaction,
    Ready,
    ReadyConversations,
)

_WITH_MESSAGE = MessageNew | MessageEdited | MessageDeleted | MessageReaction | MessagePinned | MessageChanged


class Progress:
    """The highest revision of each conversation, by the rules of the contract's "Connecting and catching up"."""

    def __init__(self) -> None:
        """Start without any revision."""
        self.epoch: str | None = None
        self._next_epoch: str | None = None
        self._known: dict[str, int] = {}
        """Ordered by activity: a conversation with a new event becomes the last one."""
        self._once_drained: dict[str, int] | None = None
        self._named: frozenset[str] = frozenset()

    @property
    def known(self) -> dict[str, int] | None:
        """What to send in ``connect``, the most recently active ones. ``None`` before a connection has caught up."""
        return dict(islice(reversed(self._known.items()), MAX_KNOWN)) if self.epoch is not None else None

    def name(self) -> dict[str, int] | None:
        """Return ``known`` for a ``connect`` that is about to be sent."""
        known = self.known
        self._named = frozenset(known or ())
        return known

    def resets(self, states: Iterable[ConversationState]) -> list[ConversationReset]:
        """Return the changes in conversations that ``connect`` did not name.

        The server sends nothing else about them.
        """
        return [
            ConversationReset(conversation_id=state.id, rev=state.rev, last_seq=state.last_seq)
            for state in states
            if state.id not in self._named and state.rev != self._known.get(state.id, state.rev)
        ]

    def take(self, frame: AnyServerFrame) -> bool:
        """Note a frame. Return whether it repeats a message that was received before, in the same state."""
        match frame:
            case Ready():
                if not frame.recovered:
                    self._known.clear()
                    self.epoch = None
                self._once_drained = {state.id: state.rev for state in frame.conversations}
                self._next_epoch = frame.epoch
            case ReadyConversations() if self._once_drained is not None:
                self._once_drained |= {state.id: state.rev for state in frame.conversations}
            case ConversationReset() if self._once_drained is not None:
                self._once_drained[frame.conversation_id] = frame.rev
            case Drained() if self._once_drained is not None:
                # Only now: before ``drained``, older revisions may still arrive.
                self._known = dict(reversed(self._once_drained.items()))
                self._once_drained, self.epoch = None, self._next_epoch
            case ConversationLeft():
                self._known.pop(frame.conversation_id, None)
                if self._once_drained is not None:
                    self._once_drained.pop(frame.conversation_id, None)
            case MessageAck():
                self._see(frame.conversation_id, frame.rev)
            case _ if isinstance(frame, _WITH_MESSAGE):
                message = frame.message
                seen = message.rev <= self._known.get(message.conversation_id, 0)
                self._see(message.conversation_id, message.rev)
                return seen
        return False

    def _see(self, conversation_id: str, rev: int) -> None:
        if self._once_drained is None:
            self._known[conversation_id] = max(rev, self._known.pop(conversation_id, 0))
