"""What a client knows of each conversation, so that it can say so when it comes back."""

from chat_mvp.protocol import (
    AnyServerFrame,
    ConversationLeft,
    ConversationReset,
    Drained,
    MessageAck,
    MessageChanged,
    MessageDeleted,
    MessageEdited,
    MessageNew,
    MessagePinned,
    MessageReaction,
    Ready,
)

_WITH_MESSAGE = MessageNew | MessageEdited | MessageDeleted | MessageReaction | MessagePinned | MessageChanged


class Progress:
    """The highest revision seen in each conversation, by the rules of the contract's "Connecting and catching up"."""

    def __init__(self) -> None:
        """Know nothing."""
        self.epoch: str | None = None
        self._next_epoch: str | None = None
        self._known: dict[str, int] = {}
        self._once_drained: dict[str, int] | None = None

    @property
    def known(self) -> dict[str, int] | None:
        """What to send in ``connect``; None before the first connection has caught up."""
        return dict(self._known) if self.epoch is not None else None

    def take(self, frame: AnyServerFrame) -> bool:
        """Take note of a frame; return whether it brings a message that was there before, in the same state."""
        match frame:
            case Ready():
                if not frame.recovered:
                    self._known.clear()
                    self.epoch = None
                self._once_drained = {state.id: state.rev for state in frame.conversations}
                self._next_epoch = frame.epoch
            case ConversationReset() if self._once_drained is not None:
                self._once_drained[frame.conversation_id] = frame.rev
            case Drained() if self._once_drained is not None:
                # Not before: until now older revisions may still be on their way.
                self._known, self._once_drained, self.epoch = self._once_drained, None, self._next_epoch
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
            self._known[conversation_id] = max(rev, self._known.get(conversation_id, 0))
