"""The state that a client keeps by the protocol, and the check that it equals a fresh fetch."""

from collections.abc import Iterable
from typing import Any

from tests.support.people import Person
from tests.support.socket import Frame, Socket

_CARRIES_MESSAGE = {
    *("message.new", "message.edited", "message.deleted", "message.reaction", "message.pinned", "message.changed"),
}


class Replica:
    """Messages by id and the revision known of each conversation, kept by the rules of "Connecting and catching up".

    ``take`` is fed the frames of one connection after another. It follows the text of the protocol to the letter, so
    that a difference between it and the server's history is a fault of the server.
    """

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Frame]] = {}
        self.known: dict[str, int] = {}
        self.epoch: str | None = None
        self.to_fetch: set[str] = set()
        self._at_drained: dict[str, int] = {}
        self._catching_up = False

    def take(self, frames: Iterable[Frame]) -> None:
        """Follow these frames."""
        for frame in frames:
            self._take(frame)

    async def fetch(self, person: Person, conversation_id: str) -> None:
        """Fetch a whole conversation anew, as after ``conversation.reset`` or on the first visit."""
        self.messages[conversation_id] = {message["id"]: message for message in await person.history(conversation_id)}
        self.to_fetch.discard(conversation_id)

    def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "ready":
                self._begin(frame)
            case "drained":
                self.known = self._at_drained
                self._catching_up = False
            case "conversation.joined":
                conversation = frame["conversation"]
                self.messages.setdefault(conversation["id"], {})
                self._learn(conversation["id"], conversation["rev"])
            case "conversation.left":
                self._forget(frame["conversation_id"])
            case "conversation.reset":
                self.messages[frame["conversation_id"]] = {}
                self.to_fetch.add(frame["conversation_id"])
                self._at_drained[frame["conversation_id"]] = frame["rev"]
            case "message.ack":
                self._learn(frame["conversation_id"], frame["rev"])
            case type_ if type_ in _CARRIES_MESSAGE:
                message = frame["message"]
                self.messages.setdefault(message["conversation_id"], {})[message["id"]] = message
                self._learn(message["conversation_id"], message["rev"])

    def _begin(self, ready: Frame) -> None:
        revs = {entry["id"]: entry["rev"] for entry in ready["conversations"]}
        if not ready["recovered"]:
            self.messages = {}
            self.to_fetch |= revs.keys()
        for conversation_id in self.messages.keys() - revs.keys():
            self._forget(conversation_id)
        self.epoch = ready["epoch"]
        self._at_drained = revs
        self._catching_up = True

    def _learn(self, conversation_id: str, rev: int) -> None:
        if not self._catching_up:
            self.known[conversation_id] = max(rev, self.known.get(conversation_id, 0))

    def _forget(self, conversation_id: str) -> None:
        self.messages.pop(conversation_id, None)
        self.known.pop(conversation_id, None)
        self.to_fetch.discard(conversation_id)


class Follower:
    """A person's client with a replica, which connects, disconnects and can be compared with the server."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.replica = Replica()
        self.socket: Socket | None = None
        self._taken = 0

    async def connect(self) -> Socket:
        """Connect with what the replica knows and follow until ``drained``."""
        known = self.replica.known if self.replica.epoch else None
        self.socket = await self.person.connect(known=known, epoch=self.replica.epoch)
        self._taken = 0
        self.follow()
        for conversation_id in list(self.replica.to_fetch):
            await self.replica.fetch(self.person, conversation_id)
        return self.socket

    def follow(self) -> None:
        """Take the frames that came since the last time."""
        assert self.socket is not None
        frames = self.socket.frames[self._taken :]
        self._taken += len(frames)
        self.replica.take(frames)

    async def disconnect(self, *, rudely: bool = False) -> None:
        """Follow to the end and go."""
        assert self.socket is not None
        if rudely:
            self.socket.cut()
        await self.socket.close()
        self.follow()

    async def catch_up_live(self, conversation_id: str) -> None:
        """Wait until the live frames have brought the present revision."""
        assert self.socket is not None
        rev = (await self.person.conversation(conversation_id))["rev"]

        def arrived(frame: Frame) -> bool:
            message = frame.get("message")
            return bool(message and message["conversation_id"] == conversation_id and message["rev"] >= rev)

        self.follow()
        if self.replica.known.get(conversation_id, 0) < rev:
            await self.socket.find(arrived, f"revision {rev}")
            self.follow()


async def assert_converges(
    follower: Follower,
    conversation_id: str,
    *,
    since: dict[str, Any] | None = None,
    quiet: bool = True,
) -> None:
    """Fail unless the replica of a conversation equals a fresh fetch of it, revision included.

    ``since`` is an earlier ``snapshot``; then something must have changed, or the test proves nothing. Without
    ``quiet``, changes came while the client caught up: it may then know of a lower revision than it has seen.
    """
    fresh = {message["id"]: message for message in await follower.person.history(conversation_id)}
    held = follower.replica.messages.get(conversation_id, {})
    wrong = [(held.get(key), fresh.get(key)) for key in held.keys() | fresh.keys() if held.get(key) != fresh.get(key)]
    assert not wrong, f"{len(wrong)} messages differ; the first, held and fresh:\n{wrong[0][0]}\n{wrong[0][1]}"
    rev = (await follower.person.conversation(conversation_id))["rev"]
    known = follower.replica.known[conversation_id]
    assert known == rev if quiet else known <= rev, f"knows {known} of {rev}"
    assert since is None or since != snapshot(follower, conversation_id), "nothing changed, so nothing was tested"


def snapshot(follower: Follower, conversation_id: str) -> dict[str, Any]:
    """Return what the replica holds of a conversation now."""
    return dict(follower.replica.messages.get(conversation_id, {}))
