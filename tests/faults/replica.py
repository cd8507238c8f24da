"""What one device keeps: the shared replica, with its own messages put in from their acks."""

from typing import Any

from tests.support.replica import Replica
from tests.support.socket import Frame


class DeviceReplica(Replica):
    """A replica that also sends, and whose person comes and goes.

    An ack names the place of a message whose text only the sender knows. Who comes back to a private conversation
    begins anew: what is held from before ``joined_seq`` is forgotten.
    """

    def __init__(self) -> None:
        super().__init__()
        self.joined_seq: dict[str, int] = {}

    @property
    def live(self) -> bool:
        """Whether the connection that is followed now has come to ``drained``."""
        return self.epoch is not None and not self._catching_up

    def lose_connection(self) -> None:
        """Note that the connection has ended: what a broken catching up brought raises nothing that is known."""
        self._catching_up = True

    def put_own(self, ack: Frame, sender_id: str, text: str) -> None:
        """Keep an own message as the ack says it was stored, unless it came as a message in the meantime.

        Sending something again is answered whether its sender is still in the conversation or not.
        """
        if not self._has(ack["conversation_id"]) or ack["seq"] <= self.joined_seq.get(ack["conversation_id"], 0):
            return
        own = self.messages.setdefault(ack["conversation_id"], {})
        if ack["message_id"] not in own:
            own[ack["message_id"]] = own_message(ack, sender_id, text)

    def merge(self, conversation_id: str, fetched: list[dict[str, Any]], *, joined_seq: int) -> None:
        """Put in what a fetch brought, and keep what frames have brought in a newer state while it was under way.

        Nothing is done when the person has left, or come back, since ``joined_seq`` was read before the fetch.
        """
        if not self._has(conversation_id) or joined_seq != self.joined_seq.get(conversation_id, 0):
            return
        held = self.messages.setdefault(conversation_id, {})
        for message in fetched:
            if message["id"] not in held or held[message["id"]]["rev"] < message["rev"]:
                held[message["id"]] = message
        self.to_fetch.discard(conversation_id)

    def see_from(self, conversation_id: str, joined_seq: int) -> None:
        """Learn from where on the person sees a conversation, and forget what lies before."""
        if not self._has(conversation_id) or joined_seq <= self.joined_seq.get(conversation_id, 0):
            return
        self.joined_seq[conversation_id] = joined_seq
        held = self.messages.get(conversation_id, {})
        self.messages[conversation_id] = {key: m for key, m in held.items() if m["seq"] > joined_seq}

    def _take(self, frame: Frame) -> None:
        if frame["type"] == "message.ack" and not self._has(frame["conversation_id"]):
            # An answer to what was sent before the person left: nothing to remember a revision of.
            return
        super()._take(frame)
        if frame["type"] == "conversation.joined":
            # The queue brings what was not confirmed; the rest has to be fetched.
            conversation = frame["conversation"]
            self.to_fetch.add(conversation["id"])
            self.see_from(conversation["id"], conversation["me"]["joined_seq"])

    def _has(self, conversation_id: str) -> bool:
        return conversation_id in self.messages or conversation_id in self.to_fetch

    def _forget(self, conversation_id: str) -> None:
        super()._forget(conversation_id)
        self.joined_seq.pop(conversation_id, None)


def own_message(ack: Frame, sender_id: str, text: str) -> dict[str, Any]:
    """Return the message as everyone sees it, from its ack and from what was sent."""
    return {
        "id": ack["message_id"],
        "conversation_id": ack["conversation_id"],
        "seq": ack["seq"],
        "rev": ack["rev"],
        "sender_id": sender_id,
        "client_message_id": ack["client_message_id"],
        "kind": "text",
        "text": text,
        "priority": "normal",
        "attachments": [],
        "reply_to": None,
        "thread_root": None,
        "thread": None,
        "mentions": [],
        "reactions": [],
        "pinned": False,
        "created_at": ack["created_at"],
        "edited_at": None,
        "deleted_at": None,
    }
