"""Requests of a device without a final answer yet: messages and changes, repeated until they are settled."""

import asyncio
import json
import random
import time

import httpx
from msgspec import Struct
from websockets.asyncio.client import ClientConnection

from tests.faults.observations import Ack, Attempt, Change, ChangeKind, Observations
from tests.faults.tally import Tally
from tests.support.people import Person
from tests.support.socket import Frame

RETRIABLE = {"rate_limited", "unavailable", "internal"}
DELETED = "conflict"
"""The answer when changing a message that was deleted a moment ago."""
STRANGER = "not_found"
"""The answer to a former member, and to a member who requests a message from before they joined."""

ANSWER_WITHIN_S = 30.0
"""A request that has no answer by then is a hung one, on a connection that is open all the while."""
SOCKET, HTTP = "socket", "http"
INSISTENCE = 0.5
"""How likely a change whose outcome is unknown is asked for again."""
WAYS = ((SOCKET,), (HTTP,), (SOCKET, SOCKET), (HTTP, SOCKET))
"""How a message is transmitted: one way, or twice as clients do that are unsure."""
WAY_WEIGHTS = (88, 4, 4, 4)
_CHANGE_FRAMES = {
    "edit": "message.edit",
    "delete": "message.delete",
    "add": "reaction.add",
    "remove": "reaction.remove",
}


class Sending(Struct):
    """An own message on its way."""

    attempt: Attempt
    due_at: float | None = 0.0
    """When to transmit it next; None while an answer is awaited."""
    asked_at: float = 0.0


class Asking(Struct):
    """A change on its way."""

    change: Change
    due_at: float | None = 0.0
    asked_at: float = 0.0
    insists: bool = False
    """Whether it is asked again when its outcome is unknown."""
    conversation_id: str = ""
    transmissions: int = 0


class Requests:
    """The requests of one device: over its connection, and messages now and then over HTTP."""

    def __init__(self, name: str, person: Person, *, run: Observations, tally: Tally, chance: random.Random) -> None:
        self._name = name
        self._person = person
        self._run = run
        self._tally = tally
        self._chance = chance
        self._sending: dict[str, Sending] = {}
        self._asking: dict[str, Asking] = {}
        self._over_http: set[asyncio.Task[None]] = set()
        self._numbers = 0

    def send(self, conversation_id: str, text: str) -> str:
        """Begin to send a message and return its ``client_message_id``."""
        client_message_id = f"{self._name}-{self._next()}"
        attempt = Attempt(self._person.id, client_message_id, conversation_id, text)
        self._run.attempts[self._person.id, client_message_id] = attempt
        self._sending[client_message_id] = Sending(attempt)
        return client_message_id

    def change(self, conversation_id: str, message_id: str, kind: ChangeKind, value: str) -> None:
        """Begin to edit, delete or react."""
        change = Change(person=self._person.id, message_id=message_id, kind=kind, value=value)
        self._run.changes.append(change)
        insists = self._chance.random() < INSISTENCE
        ref = f"{self._name}-change-{self._next()}"
        self._asking[ref] = Asking(change, insists=insists, conversation_id=conversation_id)

    @property
    def unsettled(self) -> int:
        """How many have no final answer yet."""
        return len(self._sending) + len(self._asking)

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way any more."""
        return not self.unsettled and not self._over_http

    @property
    def state(self) -> str:
        """What is waited for, for a person to read."""
        waiting = [*self._sending.values(), *self._asking.values()]
        return f"over HTTP {len(self._over_http)}, {len(waiting)} unsettled, the first {waiting[:1]}"

    # --- transmitting

    async def transmit_due(self, socket: ClientConnection) -> None:
        now = time.monotonic()
        due = [one for one in self._sending.values() if one.due_at is not None and one.due_at <= now]
        if len(due) > 1 and any(one.attempt.transmissions for one in due):
            # What is sent again comes in any order.
            self._chance.shuffle(due)
        for one in due:
            one.due_at, one.asked_at = None, now
            ways = self._chance.choices(WAYS, WAY_WEIGHTS)[0]
            if HTTP in ways:
                self._post(one)
            for _ in range(ways.count(SOCKET)):
                await self._transmit(socket, one.attempt)
        for ref, asking in self._asking.items():
            if asking.due_at is not None and asking.due_at <= now:
                asking.due_at, asking.asked_at = None, now
                asking.transmissions += 1
                await socket.send(json.dumps(_change_frame(ref, asking.change)))
        self._look_for_hung(now)

    async def _transmit(self, socket: ClientConnection, attempt: Attempt) -> None:
        attempt.transmissions += 1
        fields = {"conversation_id": attempt.conversation_id, "text": attempt.text}
        name = attempt.client_message_id
        await socket.send(json.dumps({"type": "message.send", "client_message_id": name, "ref": name, **fields}))

    def _look_for_hung(self, now: float) -> None:
        for one in [*self._sending.values(), *self._asking.values()]:
            if one.due_at is None and now - one.asked_at > ANSWER_WITHIN_S:
                self._run.faults_seen.append(f"{self._name}: no answer within {ANSWER_WITHIN_S:g} s to {one}")
                one.due_at = now

    def forget_answers(self) -> None:
        """After a lost connection: nothing that was asked on it will be answered."""
        for one in self._sending.values():
            one.due_at = 0.0
        for ref, asking in list(self._asking.items()):
            if asking.due_at is None:
                self._leave_unknown(ref, asking, 0.0)

    def _leave_unknown(self, ref: str, asking: Asking, due_at: float) -> None:
        if asking.insists:
            asking.due_at = due_at
        else:
            del self._asking[ref]

    # --- over HTTP

    def _post(self, one: Sending) -> None:
        one.attempt.transmissions += 1
        task = asyncio.create_task(self._send_over_http(one))
        self._over_http.add(task)
        task.add_done_callback(self._over_http.discard)

    async def _send_over_http(self, one: Sending) -> None:
        attempt = one.attempt
        body = {"text": attempt.text, "client_message_id": attempt.client_message_id}
        try:
            answer = await self._person.post(f"/conversations/{attempt.conversation_id}/messages", **body)
        except httpx.TransportError:
            one.due_at = time.monotonic()
            return
        if answer.status_code in {200, 201}:
            message = answer.json()
            self._run.note_state(message)
            self.acked(attempt, message["id"], message["seq"], duplicate=answer.status_code == 200)
        elif (code := answer.json()["code"]) in RETRIABLE:
            self._tally.answers[code] += 1
            one.due_at = time.monotonic() + self._chance.uniform(0.2, 1.0)
        elif code == STRANGER:
            self._tally.answers[code] += 1
            self._give_up(attempt)
        else:
            self._run.faults_seen.append(f"{self._name}: {attempt} over HTTP was refused: {answer.text}")
            self._sending.pop(attempt.client_message_id, None)

    # --- answers

    def acked(self, attempt: Attempt, message_id: str, seq: int, *, duplicate: bool) -> None:
        """Take the acknowledgement of a message."""
        ack = Ack(attempt.sender, attempt.client_message_id, message_id, attempt.conversation_id, seq, duplicate)
        self._run.acks.append(ack)
        self._tally.answers["acks"] += 1
        self._tally.wrote()
        one = self._sending.pop(attempt.client_message_id, None)
        if one is not None:
            self._answered(one)

    def _give_up(self, attempt: Attempt) -> None:
        """Stop sending it: the sender is not a member."""
        attempt.refused = True
        self._run.strangers.append((attempt.sender, attempt.conversation_id))
        one = self._sending.pop(attempt.client_message_id, None)
        if one is not None:
            self._answered(one)

    def _answered(self, one: Sending | Asking) -> None:
        self._tally.slowest_answer_s = max(self._tally.slowest_answer_s, time.monotonic() - one.asked_at)

    def changed(self, ref: str | None, message: Frame) -> None:
        """Take a message that came as the answer to a change."""
        asking = self._asking.pop(ref or "", None)
        if asking is not None:
            asking.change.outcome, asking.change.rev = "done", message["rev"]
            self._answered(asking)
            self._tally.answers["changes"] += 1
            self._tally.wrote()

    def try_later(self, ref: str, due_at: float) -> bool:
        """Take an error after which trying again is right; false when it is about no request of these."""
        if ref in self._asking:
            self._answered(self._asking[ref])
            self._leave_unknown(ref, self._asking[ref], due_at)
        elif ref in self._sending:
            self._answered(self._sending[ref])
            self._sending[ref].due_at = due_at
        else:
            return False
        return True

    def take_refusal(self, code: str, ref: str) -> bool:
        """Take a refusal that may be deserved; false when it cannot be."""
        if code not in {DELETED, STRANGER}:
            return False
        asking = self._asking.pop(ref, None)
        if asking is not None:
            self._answered(asking)
            if code == DELETED or asking.transmissions == 1:
                asking.change.outcome = "refused"
            if code == STRANGER:
                self._run.strangers.append((self._person.id, asking.conversation_id))
            return True
        attempt = self._run.attempts.get((self._person.id, ref))
        if attempt is None or code != STRANGER:
            return False
        self._give_up(attempt)
        return True

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


def _change_frame(ref: str, change: Change) -> Frame:
    frame: Frame = {"type": _CHANGE_FRAMES[change.kind], "message_id": change.message_id, "ref": ref}
    if change.kind == "edit":
        frame["text"] = change.value
    elif change.kind in {"add", "remove"}:
        frame["emoji"] = change.value
    return frame
