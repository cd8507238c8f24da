"""The contract as plainly as it can be said: a chat in memory, with no faults, no batches and no wire.

It is what the checker is tried against: histories of this model must pass, and the same histories with one thing made
wrong must not.
"""

import copy
from itertools import count

from msgspec import Struct, field

from tests.faults.observations import (
    Ack,
    Attempt,
    Change,
    Connection,
    Copies,
    MessageState,
    Observations,
    Seen,
    Stored,
)


class Room(Struct):
    """A conversation: its members, its messages in order, and how often something in it changed."""

    members: frozenset[str]
    messages: list[MessageState] = field(default_factory=list)
    rev: int = 0


class Gadget(Struct):
    """A device: whose it is, what it holds, what it knows, and its connection while it has one."""

    name: str
    person: str
    held: Copies = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    connection: Connection | None = None


class PlainChat:
    """People, rooms and devices. Every method is one step that happens at once and cannot fail half way."""

    def __init__(self, rooms: dict[str, frozenset[str]]) -> None:
        self.rooms = {name: Room(members=members) for name, members in rooms.items()}
        self.gadgets: dict[str, Gadget] = {}
        self.queue: set[tuple[str, str, int]] = set()
        self.run = Observations()
        self._sent: dict[tuple[str, str], MessageState] = {}
        self._ids = count(1)

    # --- devices

    def add_device(self, name: str, person: str) -> None:
        self.gadgets[name] = Gadget(name, person)

    def connect(self, name: str) -> None:
        """Bring a device up to date: what changed since it knew, older messages first, then what waits in the queue."""
        gadget = self.gadgets[name]
        gadget.connection = Connection(device=name, person=gadget.person)
        self.run.connections.append(gadget.connection)
        for room_name, room in self.rooms.items():
            if gadget.person not in room.members:
                continue
            known = gadget.known.get(room_name, 0)
            changed = [message for message in room.messages if message["rev"] > known]
            for message in sorted(changed, key=lambda message: message["rev"]):
                if message["made_rev"] <= known:
                    self._show(gadget, "message.changed", message, live=False)
            for message in changed:
                if message["made_rev"] > known:
                    self._show(gadget, "message.new", message, live=False)
            gadget.known[room_name] = room.rev

    def disconnect(self, name: str) -> None:
        self.gadgets[name].connection = None

    def confirm(self, name: str, room_name: str) -> None:
        """Take what the device holds of a room out of its person's queue."""
        gadget = self.gadgets[name]
        highest = max((message["seq"] for message in gadget.held.get(room_name, {}).values()), default=0)
        self.queue = {
            (person, room, seq)
            for person, room, seq in self.queue
            if (person, room) != (gadget.person, room_name) or seq > highest
        }

    # --- requests; the answer may be lost on its way

    def send(self, name: str, room_name: str, client_message_id: str, text: str, *, answer_lost: bool) -> None:
        """Store a message once, whatever is sent under its name later."""
        gadget = self.gadgets[name]
        key = (gadget.person, client_message_id)
        attempt = self.run.attempts.setdefault(key, Attempt(*key, room_name, text))
        attempt.transmissions += 1
        duplicate = key in self._sent
        message = self._sent.get(key) or self._store(gadget, room_name, client_message_id, text)
        if answer_lost:
            return
        self.run.acks.append(Ack(*key, message["id"], message["conversation_id"], message["seq"], duplicate))
        if gadget.connection is not None:
            self._record(gadget, "message.ack", {**message, "rev": message["made_rev"]}, live=True, repeats=duplicate)
            gadget.held.setdefault(message["conversation_id"], {}).setdefault(message["id"], _public(message))
            gadget.known[message["conversation_id"]] = self.rooms[message["conversation_id"]].rev

    def edit(self, name: str, message_id: str, text: str, *, answer_lost: bool) -> None:
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, "edit", text), answer_lost)

    def delete(self, name: str, message_id: str, *, answer_lost: bool) -> None:
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, "delete"), answer_lost)

    def react(self, name: str, message_id: str, emoji: str, *, present: bool, answer_lost: bool) -> None:
        kind = "add" if present else "remove"
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, kind, emoji), answer_lost)

    # --- the end

    def finish(self) -> Observations:
        """Let everybody come back and confirm everything, and return what was observed."""
        for name, gadget in self.gadgets.items():
            if gadget.connection is None:
                self.connect(name)
            for room_name in self.rooms:
                self.confirm(name, room_name)
        self.run.stored = {
            name: Stored(room.members, room.rev, len(room.messages), [_public(message) for message in room.messages])
            for name, room in self.rooms.items()
        }
        self.run.copies = {name: (gadget.person, gadget.held) for name, gadget in self.gadgets.items()}
        people = {gadget.person for gadget in self.gadgets.values()}
        self.run.queued = {person: sum(entry[0] == person for entry in self.queue) for person in people}
        return copy.deepcopy(self.run)

    def messages(self) -> list[MessageState]:
        """Return all messages of all rooms."""
        return [message for room in self.rooms.values() for message in room.messages]

    # --- internal

    def _store(self, gadget: Gadget, room_name: str, client_message_id: str, text: str) -> MessageState:
        room = self.rooms[room_name]
        room.rev += 1
        message: MessageState = {
            "id": f"message {next(self._ids)}",
            "conversation_id": room_name,
            "seq": len(room.messages) + 1,
            "rev": room.rev,
            "made_rev": room.rev,
            "sender_id": gadget.person,
            "client_message_id": client_message_id,
            "kind": "text",
            "text": text,
            "reactions": [],
            "deleted_at": None,
        }
        room.messages.append(message)
        self._sent[gadget.person, client_message_id] = message
        self.queue |= {(person, room_name, message["seq"]) for person in room.members - {gadget.person}}
        self._tell("message.new", message, without=gadget.name)
        return message

    def _change(self, name: str, message_id: str, change: Change, answer_lost: bool) -> None:
        self.run.changes.append(change)
        message = next(message for message in self.messages() if message["id"] == message_id)
        if message["deleted_at"] is not None and change.kind != "delete":
            change.outcome = "refused"
            return
        room = self.rooms[message["conversation_id"]]
        before = _public(message)
        _apply(message, change)
        changed = _public(message) != before
        if changed:
            room.rev += 1
            message["rev"] = room.rev
            self._tell("message.changed", message, without=None)
        if not answer_lost:
            change.outcome, change.rev = "done", message["rev"]

    def _tell(self, type_: str, message: MessageState, *, without: str | None) -> None:
        for gadget in self.gadgets.values():
            if gadget.connection is None or gadget.person not in self.rooms[message["conversation_id"]].members:
                continue
            if gadget.name == without:
                # Its ack says it all; one whose ack is lost has lost its connection too.
                continue
            self._show(gadget, type_, message, live=True)
            gadget.known[message["conversation_id"]] = message["rev"]

    def _show(self, gadget: Gadget, type_: str, message: MessageState, *, live: bool) -> None:
        self._record(gadget, type_, message, live=live, repeats=False)
        self.run.note_state(_public(message))
        gadget.held.setdefault(message["conversation_id"], {})[message["id"]] = _public(message)

    @staticmethod
    def _record(gadget: Gadget, type_: str, message: MessageState, *, live: bool, repeats: bool) -> None:
        assert gadget.connection is not None
        seen = Seen(type_, message["conversation_id"], message["id"], message["seq"], message["rev"], live, repeats)
        gadget.connection.seen.append(seen)


def _apply(message: MessageState, change: Change) -> None:
    match change.kind:
        case "edit":
            message["text"] = change.value
        case "delete":
            message.update(text="", reactions=[], deleted_at="now")
        case "add" | "remove":
            people = {reaction["emoji"]: set(reaction["user_ids"]) for reaction in message["reactions"]}
            of_emoji = people.setdefault(change.value, set())
            (of_emoji.add if change.kind == "add" else of_emoji.discard)(change.person)
            message["reactions"] = [
                {"emoji": emoji, "user_ids": sorted(ids)} for emoji, ids in sorted(people.items()) if ids
            ]


def _public(message: MessageState) -> MessageState:
    return {name: copy.copy(value) for name, value in message.items() if name != "made_rev"}
