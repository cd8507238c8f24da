"""The state of one connection, without any socket: what it has been sent, what is held back, what it may still do.

A connection is registered before its snapshot is read, so that no event falls between the two. From then until
``drained``, live events are held; afterwards those that catching up has not brought already follow, in order.
"""

from enum import Enum

from chat_mvp.codec import EncodedFrame
from chat_mvp.delivery.bus import Publication
from chat_mvp.limits import MAX_BAD_FRAMES_PER_MINUTE, MAX_HELD_EVENTS
from chat_mvp.protocol import ConversationLeft, Typing

_MINUTE_S = 60


class Phase(Enum):
    """How far a connection has come."""

    GREETING = "greeting"
    CATCHING_UP = "catching up"
    RELEASING = "releasing"
    """``drained`` is on its way and what was held follows it: answers now take their turn behind that."""
    LIVE = "live"
    CLOSED = "closed"


class Session:
    """One connection's place in the protocol."""

    __slots__ = ("_bad_frames", "_held", "_sent_revs", "_snapshot_revs", "left", "phase")

    def __init__(self) -> None:
        """Begin before the first frame."""
        self.phase = Phase.GREETING
        # Lists, because there are many sessions and an empty list is a tenth of an empty deque.
        self._held: list[tuple[Publication | None, EncodedFrame]] = []
        self._snapshot_revs: dict[str, int] = {}
        self._sent_revs: dict[str, int] = {}
        self._bad_frames: list[float] = []
        self.left: tuple[str, ...] = ()
        """The conversations that the user left or was removed from since the connection began to hold events."""

    def begin_catching_up(self) -> None:
        """Hold live events from now on."""
        self.phase = Phase.CATCHING_UP

    def release(self) -> None:
        """Hold answers too, from the moment ``drained`` is sent until everything held has followed."""
        if self.phase is Phase.CATCHING_UP:
            self.phase = Phase.RELEASING

    def hold(self, publication: Publication | None, encoded: EncodedFrame) -> bool:
        """Keep a live event, or an answer (``None``), for later; false when there are too many of them."""
        if len(self._held) >= MAX_HELD_EVENTS:
            return False
        self._held.append((publication, encoded))
        if publication is not None and isinstance(publication.frame, ConversationLeft):
            self.left += (publication.frame.conversation_id,)
        return True

    def forget_left(self, conversation_id: str) -> None:
        """Drop the held events of a conversation up to the last ``conversation.left``.

        The snapshot was read after that, so it is right: the user is a member again, or is not and needs no frame of
        it.
        """
        self.left = tuple(other for other in self.left if other != conversation_id)
        about = [_conversation_of(publication) == conversation_id for publication, _ in self._held]
        last = max(
            at
            for at, (publication, _) in enumerate(self._held)
            if about[at] and publication is not None and isinstance(publication.frame, ConversationLeft)
        )
        self._held = [held for at, held in enumerate(self._held) if at > last or not about[at]]

    def note_snapshot(self, conversation_id: str, rev: int) -> None:
        """Remember that everything up to ``rev`` of this conversation is in the snapshot or comes by catching up."""
        self._snapshot_revs[conversation_id] = rev

    def note_sent(self, message_id: str, rev: int) -> None:
        """Remember that catching up sent this message in a state that is newer than the snapshot."""
        self._sent_revs[message_id] = rev

    def take_held(self) -> list[EncodedFrame]:
        """Return the held events that have not been sent in another form, in order; they are held no longer."""
        fresh = [encoded for publication, encoded in self._held if not self._is_over(publication)]
        self._held.clear()
        return fresh

    def go_live(self) -> None:
        """Hold nothing from now on. Call it only when nothing is held."""
        if self.phase is Phase.RELEASING:
            self.phase = Phase.LIVE
        self._snapshot_revs.clear()
        self._sent_revs.clear()
        self.left = ()

    def count_bad_frame(self, now: float) -> bool:
        """Note a frame that was none, at ``now`` (seconds); true when it is one too many for a minute."""
        self._bad_frames = [at for at in self._bad_frames if now - at < _MINUTE_S] + [now]
        return len(self._bad_frames) >= MAX_BAD_FRAMES_PER_MINUTE

    def _is_over(self, publication: Publication | None) -> bool:
        if publication is None:
            return False
        if publication.conversation_id is None:
            # Who was typing while we caught up is no news any more.
            return isinstance(publication.frame, Typing)
        if publication.rev <= self._snapshot_revs.get(publication.conversation_id, -1):
            return True
        return publication.message_id is not None and publication.rev <= self._sent_revs.get(publication.message_id, -1)


def _conversation_of(publication: Publication | None) -> str | None:
    if publication is None:
        return None
    found: str | None = publication.conversation_id or getattr(publication.frame, "conversation_id", None)
    return found
