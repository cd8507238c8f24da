"""The state of one connection, without a socket: what was sent, what is held back, and what is still allowed.

A connection is registered before its snapshot is read, so that no event is missed in between. From then until
``drained``, live events are held. Afterwards the held events follow in order, except those that the catch-up has sent.
"""

from enum import Enum

from chat_mvp.codec import EncodedFrame
from chat_mvp.delivery.bus import Publication
from chat_mvp.limits import MAX_BAD_FRAMES_PER_MINUTE, MAX_HELD_BYTES, MAX_HELD_EVENTS
from chat_mvp.protocol import ConversationLeft, Typing

_MINUTE_S = 60


class Phase(Enum):
    """The phase of a connection."""

    GREETING = "greeting"
    CATCHING_UP = "catching up"
    RELEASING = "releasing"
    """``drained`` is sent and the held events follow it. Answers are now queued after them."""
    LIVE = "live"
    CLOSED = "closed"


class Session:
    """The protocol state of one connection."""

    __slots__ = ("_bad_frames", "_held", "_held_bytes", "_sent_revs", "_snapshot_revs", "left", "phase")

    def __init__(self) -> None:
        """Start before the first frame."""
        self.phase = Phase.GREETING
        # Use lists, because there are many sessions and an empty list is a tenth of the size of an empty deque.
        self._held: list[tuple[Publication | None, EncodedFrame]] = []
        self._held_bytes = 0
        self._snapshot_revs: dict[str, int] = {}
        self._sent_revs: dict[str, int] = {}
        self._bad_frames: list[float] = []
        self.left: tuple[str, ...] = ()
        """The conversations that the user left or was removed from since the connection began to hold events."""

    def begin_catching_up(self) -> None:
        """Hold live events from now on."""
        self.phase = Phase.CATCHING_UP

    def release(self) -> None:
        """Hold answers too, from the moment when ``drained`` is sent until all held events have followed."""
        if self.phase is Phase.CATCHING_UP:
            self.phase = Phase.RELEASING

    def hold(self, publication: Publication | None, encoded: EncodedFrame, size: int) -> bool:
        """Hold a live event, or an answer (``None``), of ``size`` bytes for later. Return false when it is too much."""
        if len(self._held) >= MAX_HELD_EVENTS or self._held_bytes + size > MAX_HELD_BYTES:
            return False
        self._held_bytes += size
        self._held.append((publication, encoded))
        if publication is not None and isinstance(publication.frame, ConversationLeft):
            self.left += (publication.frame.conversation_id,)
        return True

    def forget_left(self, conversation_id: str) -> None:
        """Drop the held events of a conversation up to the last ``conversation.left``.

        The snapshot was read after that event, so it is right: the user is a member again, or is not a member and needs
        no frames of the conversation.
        """
        self.left = tuple(other for other in self.left if other != conversation_id)
        is_about_it = [_conversation_of(publication) == conversation_id for publication, _ in self._held]
        last = max(
            index
            for index, (publication, _) in enumerate(self._held)
            if is_about_it[index] and publication is not None and isinstance(publication.frame, ConversationLeft)
        )
        self._held = [held for index, held in enumerate(self._held) if index > last or not is_about_it[index]]

    def note_snapshot(self, conversation_id: str, rev: int) -> None:
        """Remember that the snapshot or the catch-up contains everything up to ``rev`` of this conversation."""
        self._snapshot_revs[conversation_id] = rev

    def note_sent(self, message_id: str, rev: int) -> None:
        """Remember that the catch-up sent this message in a state that is newer than the snapshot."""
        self._sent_revs[message_id] = rev

    def take_held(self) -> list[EncodedFrame]:
        """Remove and return the held events, in order, without those that were already sent in another form."""
        fresh = [encoded for publication, encoded in self._held if not self._is_obsolete(publication)]
        self.drop_held()
        return fresh

    def drop_held(self) -> None:
        """Hold nothing any more."""
        self._held.clear()
        self._held_bytes = 0

    def go_live(self) -> None:
        """Stop holding events. Call it only when none is held."""
        if self.phase is Phase.RELEASING:
            self.phase = Phase.LIVE
        self._snapshot_revs.clear()
        self._sent_revs.clear()
        self.left = ()

    def count_bad_frame(self, now: float) -> bool:
        """Count an invalid frame at ``now`` (seconds). Return true when there are too many within a minute."""
        self._bad_frames = [index for index in self._bad_frames if now - index < _MINUTE_S] + [now]
        return len(self._bad_frames) >= MAX_BAD_FRAMES_PER_MINUTE

    def _is_obsolete(self, publication: Publication | None) -> bool:
        if publication is None:
            return False
        if publication.conversation_id is None:
            # It does not matter any more who was typing during the catch-up.
            return isinstance(publication.frame, Typing)
        if publication.rev <= self._snapshot_revs.get(publication.conversation_id, -1):
            return True
        return publication.message_id is not None and publication.rev <= self._sent_revs.get(publication.message_id, -1)


def _conversation_of(publication: Publication | None) -> str | None:
    if publication is None:
        return None
    found: str | None = publication.conversation_id or getattr(publication.frame, "conversation_id", None)
    return found
