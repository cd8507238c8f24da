"""What one device keeps: the shared replica, with its own messages put in from their acks."""

from typing import Any

from tests.support.replica import Replica
from tests.support.socket import Frame


class DeviceReplica(Replica):
    """A replica that also sends: an ack names the place of a message whose text only the sender knows."""

    @property
    def live(self) -> bool:
        """Whether the connection that is followed now has come to ``drained``."""
        return self.epoch is not None and not self._catching_up

    def lose_connection(self) -> None:
        """Note that the connection has ended: what a broken catching up brought raises nothing that is known."""
        self._catching_up = True

    def put_own(self, ack: Frame, sender_id: str, text: str) -> None:
        """Keep an own message as the ack says it was stored, unless it came as a message in the meantime."""
        own = self.messages.setdefault(ack["conversation_id"], {})
        if ack["message_id"] not in own:
            own[ack["message_id"]] = own_message(ack, sender_id, text)

    def merge(self, conversation_id: str, fetched: list[dict[str, Any]]) -> None:
        """Put in what a fetch brought, and keep what frames have brought in a newer state while it was under way."""
        held = self.messages.setdefault(conversation_id, {})
        for message in fetched:
            if message["id"] not in held or held[message["id"]]["rev"] < message["rev"]:
                held[message["id"]] = message
        self.to_fetch.discard(conversation_id)

    def _take(self, frame: Frame) -> None:
        super()._take(frame)
        if frame["type"] == "conversation.joined":
            # The queue brings what was not confirmed; the rest has to be fetched.
            self.to_fetch.add(frame["conversation"]["id"])


def own_message(ack: Frame, sender_id: str, text: str) -> dict[str, Any]:
    """Return the message as everybody sees it, made of its ack and of what was sent."""
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
