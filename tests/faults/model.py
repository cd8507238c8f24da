"""The contract as plainly as it can be said: a chat in memory, with no faults, no batches and no wire.

It is what the checker is tried against: histories of this model must pass, and the same histories with one thing made
wrong must not.
"""

import copy
from itertools import count
from typing import Literal

from msgspec import Struct, field

from tests.faults.observations import (
    Ack,
    Attempt,
    Change,
    Connection,
    Copies,
    MessageState,
    Move,
    Observations,
    Seen,
    Stored,
    View,
)

MoveKind = Literal["add", "remove", "leave"]

FOUNDED = "in the beginning"


class Room(Struct):
    """A conversation: behind which place its members came, its messages in order, how often something in it changed."""

    since: dict[str, int]
    messages: list[MessageState] = field(default_factory=list)
    rev: int = 0
    joined_at: dict[str, str] = field(default_factory=dict)

    def visible(self, person: str) -> list[MessageState]:
        """Return the messages since the person joined; none for people who are not members."""
        return [m for m in self.messages if person in self.since and m["seq"] > self.since[person]]


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
        self.rooms = {name: Room(since=dict.fromkeys(members, 0)) for name, members in rooms.items()}
        self.gadgets: dict[str, Gadget] = {}
        self.queue: set[tuple[str, str, int]] = set()
        people = {person for members in rooms.values() for person in members}
        self.run = Observations(
            names={person: person for person in people}, founders=rooms, founded_at=dict.fromkeys(rooms, FOUNDED)
        )
        self._sent: dict[tuple[str, str], MessageState] = {}
        self._ids = count(1)

    # --- devices

    def add_device(self, name: str, person: str) -> None:
        self.gadgets[name] = Gadget(name, person)

    def connect(self, name: str) -> None:
        """Bring a device up to date: what changed since it knew, older messages first, then what waits in the queue."""
        gadget = self.gadgets[name]
        own = {room_name: room for room_name, room in self.rooms.items() if gadget.person in room.since}
        gadget.connection = Connection(device=name, person=gadget.person, listed=frozenset(own))
        self.run.connections.append(gadget.connection)
        for room_name in gadget.held.keys() - own.keys():
            self._forget(gadget, room_name)
        for room_name, room in own.items():
            known = gadget.known.get(room_name, 0)
            visible = room.visible(gadget.person)
            gadget.held[room_name] = {
                key: held
                for key, held in gadget.held.get(room_name, {}).items()
                if held["seq"] > room.since[gadget.person]
            }
            changed = [message for message in visible if message["rev"] > known]
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

    # --- who is where

    def add_member(self, actor: str, room_name: str, person: str, *, answer_lost: bool) -> None:
        """Add a member, whose history begins with the message about it. Current members do not change."""
        room = self.rooms[room_name]
        move = self._begin_move(actor, room_name, person, "add")
        if person not in room.since:
            room.since[person] = len(room.messages)
            for gadget in self._connected(person):
                gadget.held[room_name] = {}
                gadget.known[room_name] = room.rev
                self._record_other(gadget, "conversation.joined", room_name)
            room.joined_at[person] = self._say(room_name, actor, f"{_isolated(actor)} added {_isolated(person)}")[
                "created_at"
            ]
        if not answer_lost:
            move.outcome = "done"
            move.joined_at = room.joined_at.get(person, FOUNDED)

    def remove_member(self, actor: str, room_name: str, person: str, *, answer_lost: bool) -> None:
        """Remove a member and their queue; ``actor`` may be the member."""
        room = self.rooms[room_name]
        move = self._begin_move(actor, room_name, person, "leave" if actor == person else "remove")
        if person not in room.since:
            move.outcome = "refused"
            return
        del room.since[person]
        self.queue = {entry for entry in self.queue if entry[:2] != (person, room_name)}
        for gadget in self._connected(person):
            self._record_other(gadget, "conversation.left", room_name)
            self._forget(gadget, room_name)
        self._say(room_name, actor, _removal(actor, person))
        if not answer_lost:
            move.outcome = "done"

    # --- requests; the answer may be lost on its way

    def send(self, name: str, room_name: str, client_message_id: str, text: str, *, answer_lost: bool) -> None:
        """Store a message once, whatever is sent under its name later."""
        gadget = self.gadgets[name]
        key = (gadget.person, client_message_id)
        attempt = self.run.attempts.setdefault(key, Attempt(*key, room_name, text))
        attempt.transmissions += 1
        duplicate = key in self._sent
        if not duplicate and gadget.person not in self.rooms[room_name].since:
            attempt.refused = True
            self.run.strangers.append((gadget.person, room_name))
            return
        message = self._sent.get(key) or self._store(gadget, room_name, client_message_id, text)
        if answer_lost:
            return
        self.run.acks.append(Ack(*key, message["id"], message["conversation_id"], message["seq"], duplicate))
        if gadget.connection is not None:
            self._record(gadget, "message.ack", {**message, "rev": message["made_rev"]}, live=True, repeats=duplicate)
            room = self.rooms[message["conversation_id"]]
            if message in room.visible(gadget.person):
                gadget.held.setdefault(message["conversation_id"], {}).setdefault(message["id"], _public(message))
                gadget.known[message["conversation_id"]] = room.rev

    def edit(self, name: str, message_id: str, text: str, *, answer_lost: bool) -> None:
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, "edit", text), answer_lost)

    def delete(self, name: str, message_id: str, *, answer_lost: bool) -> None:
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, "delete"), answer_lost)

    def react(self, name: str, message_id: str, emoji: str, *, present: bool, answer_lost: bool) -> None:
        kind = "add" if present else "remove"
        self._change(name, message_id, Change(self.gadgets[name].person, message_id, kind, emoji), answer_lost)

    # --- the end

    def finish(self) -> Observations:
        """Connect every device, acknowledge everything, and return what was observed."""
        for name, gadget in self.gadgets.items():
            if gadget.connection is None:
                self.connect(name)
            for room_name in self.rooms:
                self.confirm(name, room_name)
        self.run.stored = {
            name: Stored(frozenset(room.since), room.rev, len(room.messages), [_public(m) for m in room.messages])
            for name, room in self.rooms.items()
        }
        self.run.views = {
            (person, name): View(joined_seq, room.rev, [_public(m) for m in room.visible(person)])
            for name, room in self.rooms.items()
            for person, joined_seq in room.since.items()
        }
        self.run.copies = {name: (gadget.person, gadget.held) for name, gadget in self.gadgets.items()}
        people = {gadget.person for gadget in self.gadgets.values()}
        self.run.queued = {person: sum(entry[0] == person for entry in self.queue) for person in people}
        return copy.deepcopy(self.run)

    def messages(self) -> list[MessageState]:
        """Return all messages of all rooms."""
        return [message for room in self.rooms.values() for message in room.messages]

    # --- internal

    def _connected(self, person: str) -> list[Gadget]:
        return [g for g in self.gadgets.values() if g.person == person and g.connection is not None]

    @staticmethod
    def _forget(gadget: Gadget, room_name: str) -> None:
        gadget.held.pop(room_name, None)
        gadget.known.pop(room_name, None)

    def _begin_move(self, actor: str, room_name: str, person: str, kind: MoveKind) -> Move:
        move = Move(actor, person, room_name, kind, transmissions=1)
        self.run.moves.append(move)
        return move

    def _say(self, room_name: str, actor: str, text: str) -> MessageState:
        """Let the system say something."""
        name = f"system {next(self._ids)}"
        return self._insert(room_name, actor, name, text, kind="system", without=None)

    def _store(self, gadget: Gadget, room_name: str, client_message_id: str, text: str) -> MessageState:
        message = self._insert(room_name, gadget.person, client_message_id, text, kind="text", without=gadget.name)
        self._sent[gadget.person, client_message_id] = message
        return message

    def _insert(
        self, room_name: str, sender: str, client_message_id: str, text: str, *, kind: str, without: str | None
    ) -> MessageState:
        room = self.rooms[room_name]
        room.rev += 1
        number = next(self._ids)
        message: MessageState = {
            "id": f"message {number}",
            "conversation_id": room_name,
            "seq": len(room.messages) + 1,
            "rev": room.rev,
            "made_rev": room.rev,
            "sender_id": sender,
            "client_message_id": client_message_id,
            "kind": kind,
            "text": text,
            "reactions": [],
            "created_at": f"moment {number}",
            "deleted_at": None,
        }
        room.messages.append(message)
        self.queue |= {(person, room_name, message["seq"]) for person in room.since.keys() - {sender}}
        self._tell("message.new", message, without=without)
        return message

    def _change(self, name: str, message_id: str, change: Change, answer_lost: bool) -> None:
        self.run.changes.append(change)
        message = next(message for message in self.messages() if message["id"] == message_id)
        room = self.rooms[message["conversation_id"]]
        if message not in room.visible(change.person):
            change.outcome = "refused"
            self.run.strangers.append((change.person, message["conversation_id"]))
            return
        if message["deleted_at"] is not None and change.kind != "delete":
            change.outcome = "refused"
            return
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
            room = self.rooms[message["conversation_id"]]
            if gadget.connection is None or message not in room.visible(gadget.person):
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
    def _record_other(gadget: Gadget, type_: str, room_name: str) -> None:
        assert gadget.connection is not None
        gadget.connection.seen.append(Seen(type_, room_name, "", 0, 0, live=True, repeats=False))

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


def _isolated(name: str) -> str:
    """Return a name as it stands in a system message."""
    return f"\u2068{name}\u2069"


def _removal(actor: str, person: str) -> str:
    return f"{_isolated(person)} left" if actor == person else f"{_isolated(actor)} removed {_isolated(person)}"
