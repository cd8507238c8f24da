"""One device of one person, which behaves as docs/protocol.md asks of clients and writes down all that it sees.

It sends again what was not acknowledged, with the same ``client_message_id``, after ``rate_limited``, ``unavailable``,
``internal`` and every lost connection; it remembers revisions, comes back with them, and confirms cumulatively.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.faults.observations import ChangeKind, Connection, Observations, Seen
from tests.faults.replica import DeviceReplica
from tests.faults.requests import RETRIABLE, STRANGER, Requests
from tests.faults.tally import Tally
from tests.support.people import Person
from tests.support.socket import Frame, narrow_socket

READY_WITHIN_S = 15.0
CONFIRM_EVERY_S = 0.1
TOO_SLOW = 4408
IN_TIME_S = 3.0
"""A connection that lives so long after it was read again was not too slow."""
RECENT = 200
"""How many of the messages seen last are changed at random; a message's conversation and id."""
MARK = "mark "
"""How the ``ref`` of a confirmation begins; the conversation follows."""
LOST = (OSError, EOFError, TimeoutError, ConnectionClosed, InvalidHandshake)


class Device:
    """Connects, sends, follows, confirms, until ``leave``. ``cut`` and ``pause`` are done to it from outside."""

    def __init__(
        self, name: str, person: Person, url: str, *, run: Observations, tally: Tally, chance: random.Random
    ) -> None:
        self.name = name
        self.person = person
        self.replica = DeviceReplica()
        self.requests = Requests(name, person, run=run, tally=tally, chance=chance)
        self._url = url
        self._run = run
        self._tally = tally
        self._chance = chance
        self._socket: ClientConnection | None = None
        self._record = Connection(device=name, person=person.id)
        self.recent: deque[tuple[str, str]] = deque(maxlen=RECENT)
        self._highest: dict[str, int] = {}
        self._confirmed: dict[str, int] = {}
        self._read: set[str] = set()
        self._yet_to_fetch: set[str] = set()
        """Conversations that were reset before this connection began, and whose revision is in ``known``."""
        self._knows_places = False
        """Whether it has asked, on this connection, since when the person is in each conversation."""
        self._away_until = 0.0
        self._stall_s = 0.0
        self._stalled = False
        self._leaving = False

    # --- what the person does

    def send(self, conversation_id: str, text: str) -> str:
        """Begin to send a message and return its ``client_message_id``."""
        return self.requests.send(conversation_id, text)

    def own_message_id(self, conversation_id: str, client_message_id: str) -> str | None:
        """Return the id of an own message once the device holds it."""
        held = self.replica.messages.get(conversation_id, {}).values()
        return next((m["id"] for m in held if m["client_message_id"] == client_message_id), None)

    def change(self, conversation_id: str, message_id: str, kind: ChangeKind, value: str = "") -> None:
        """Begin to edit, delete or react."""
        self.requests.change(conversation_id, message_id, kind, value)

    def read(self, conversation_id: str) -> None:
        """Note that the person has seen the conversation."""
        self._read.add(conversation_id)

    @property
    def settled(self) -> bool:
        """Whether the device is connected, has caught up and waits for nothing."""
        caught_up = self._socket is not None and self.replica.live and not self.replica.to_fetch and self._knows_places
        return caught_up and self.requests.settled and self._unconfirmed() == {}

    @property
    def state(self) -> str:
        """What it waits for, for a person to read."""
        return (
            f"{self.name}: connected {self._socket is not None}, caught up {self.replica.live}, "
            f"to fetch {len(self.replica.to_fetch)}, unconfirmed {self._unconfirmed()}, {self.requests.state}"
        )

    # --- what is done to it

    def cut(self) -> None:
        """Lose the connection without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    def pause(self, seconds: float) -> None:
        """Go away for a while, as a phone in a pocket does."""
        self._away_until = time.monotonic() + seconds
        self.cut()

    def stall(self, seconds: float) -> None:
        """Connect anew, over a connection that holds next to nothing, and once caught up read nothing for a while."""
        self._stall_s = seconds
        self.cut()

    @property
    def stalled(self) -> bool:
        """Whether the device is connected and does not read."""
        return self._stalled

    def come_back(self) -> None:
        """End a pause at once, and stop reading no more."""
        self._away_until = self._stall_s = 0.0

    async def leave(self) -> None:
        """Close the connection and do not come back."""
        self._leaving = True
        if self._socket is not None:
            await self._socket.close()

    # --- its life

    async def live(self) -> None:
        """Connect again and again until the run ends."""
        while not self._leaving:
            if time.monotonic() >= self._away_until:
                with contextlib.suppress(*LOST):
                    await self._once()
                self.requests.forget_answers()
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))

    async def _once(self) -> None:
        options: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None, "proxy": None}
        if self._stall_s:
            options |= {"sock": narrow_socket(urlsplit(self._url).port or 0), "max_queue": 1}
        async with connect(self._url, open_timeout=5, close_timeout=1, **options) as socket:
            self._tally.connects += 1
            self._record = Connection(device=self.name, person=self.person.id)
            self._run.connections.append(self._record)
            self._knows_places = False
            self.replica.lose_connection()
            known = {"known": self.replica.known, "epoch": self.replica.epoch} if self.replica.epoch else {}
            await socket.send(json.dumps({"type": "connect", "token": self.person.access_token, **known}))
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    frame = json.loads(await socket.recv())
            except TimeoutError:
                self._run.faults_seen.append(f"{self.name}: no ready within {READY_WITHIN_S:g} s")
                return
            if frame["type"] != "ready":
                self._tally.answers[f"{frame.get('code')} instead of ready"] += 1
                await asyncio.sleep(self._chance.uniform(0.3, 1.0))
                return
            if known and not frame["recovered"]:
                self._run.faults_seen.append(f"{self.name}: known was refused; {self.replica.known}, {frame}")
            self._yet_to_fetch = self.replica.to_fetch & self.replica.known.keys()
            self.replica.take([frame])
            self._record.listed = frozenset(entry["id"] for entry in frame["conversations"])
            self._forget_left()
            self._confirmed = {entry["id"]: entry["delivered_seq"] for entry in frame["conversations"]}
            self._socket = socket
            talking = asyncio.create_task(self._talk(socket))
            try:
                await self._follow(socket)
            finally:
                self._stalled = False
                self._socket = None
                self._tally.lost_connections += not self._leaving
                # Not cancelled: a request over HTTP that is broken off leaves connections of its client open.
                await asyncio.wait([talking])
                self.replica.lose_connection()
            talking.result()

    async def _follow(self, socket: ClientConnection) -> None:
        read_on_at = 0.0
        try:
            async for data in socket:
                self._take(json.loads(data))
                if self._stall_s and self.replica.live:
                    self._stalled = True
                    await asyncio.sleep(self._stall_s)
                    self._stall_s, self._stalled = 0.0, False
                    read_on_at = time.monotonic()
        finally:
            self._count_slow(socket, read_on_at)

    def _count_slow(self, socket: ClientConnection, read_on_at: float) -> None:
        if read_on_at:
            in_time = time.monotonic() - read_on_at > IN_TIME_S
            closed = "closed with 4408" if socket.close_code == TOO_SLOW else "cut off"
            self._tally.slow_readers["read on in time" if in_time else closed] += 1

    async def _talk(self, socket: ClientConnection) -> None:
        confirmed_at = 0.0
        # Half of the time a device waits with its requests until it has caught up.
        patient = self._chance.random() < 0.5
        with contextlib.suppress(*LOST):
            while self._socket is socket:
                if self.replica.live or not patient:
                    await self.requests.transmit_due(socket)
                if self.replica.live and time.monotonic() - confirmed_at >= CONFIRM_EVERY_S:
                    confirmed_at = time.monotonic()
                    await self._confirm(socket)
                    await self._fetch_places()
                    await self._fetch_missing()
                await asyncio.sleep(0.02)

    # --- over HTTP

    async def _fetch_missing(self) -> None:
        for conversation_id in list(self.replica.to_fetch):
            with contextlib.suppress(httpx.TransportError, AssertionError):
                joined_seq = self.replica.joined_seq.get(conversation_id, 0)
                fetched = await self.person.history(conversation_id)
                for message in fetched:
                    self._run.note_state(message)
                self.replica.merge(conversation_id, fetched, joined_seq=joined_seq)
                for message in self.replica.messages.get(conversation_id, {}).values():
                    self._note(conversation_id, message["id"], message["seq"])

    async def _fetch_places(self) -> None:
        """Ask since when the person is where: ``ready`` does not tell that they left and came back."""
        if self._knows_places:
            return
        with contextlib.suppress(httpx.TransportError, AssertionError):
            for conversation in await self.person.conversations():
                self.replica.see_from(conversation["id"], conversation["me"]["joined_seq"])
            self._knows_places = True

    def _forget_left(self) -> None:
        """Confirm nothing any more where the person is no member now."""
        for conversation_id in self._highest.keys() - self.replica.messages.keys():
            del self._highest[conversation_id]
            self._confirmed.pop(conversation_id, None)

    # --- what comes

    def _take(self, frame: Frame) -> None:
        match frame["type"]:
            case "message.ack":
                self._take_ack(frame)
            case "error":
                self._take_error(frame)
            case "receipt":
                marks = (frame["conversation_id"], frame["user_id"], frame["delivered_seq"], frame["read_seq"])
                self._record.receipts.append(marks)
                self._see_other(frame["type"], frame["conversation_id"], seq=frame["delivered_seq"])
            case "conversation.joined":
                self._see_other(frame["type"], frame["conversation"]["id"])
            case "conversation.left" | "member.joined" | "member.left":
                self._see_other(frame["type"], frame["conversation_id"])
            case "conversation.reset":
                self._tally.resets += 1
            case "notification" | "presence" | "presence.snapshot" | "typing" | "bye":
                return
        if "message" in frame:
            self._take_message(frame)
        self.replica.take([frame])
        if frame["type"] == "conversation.left":
            self._forget_left()

    def _take_ack(self, frame: Frame) -> None:
        attempt = self._run.attempts[self.person.id, frame["client_message_id"]]
        self._see(frame, frame, frame["message_id"], repeats=frame["duplicate"])
        self.replica.put_own(frame, self.person.id, attempt.text)
        self.requests.acked(attempt, frame["message_id"], frame["seq"], duplicate=frame["duplicate"])

    def _take_error(self, frame: Frame) -> None:
        code, ref = frame["code"], frame.get("ref")
        self._tally.answers[code] += 1
        due_at = time.monotonic() + frame.get("retry_after_ms", 300) / 1000 * self._chance.uniform(0.5, 1.0)
        if code in RETRIABLE:
            if ref is None:
                # The connection ends for it: we confirm again.
                self._confirmed = {}
            elif not self.requests.try_later(ref, due_at):
                self._confirmed.pop(ref.removeprefix(MARK), None)
        elif ref is not None and ref.startswith(MARK) and code == STRANGER:
            self._run.strangers.append((self.person.id, ref.removeprefix(MARK)))
        elif ref is None or not self.requests.take_refusal(code, ref):
            self._run.faults_seen.append(f"{self.name}: refused for no reason: {frame}")

    def _take_message(self, frame: Frame) -> None:
        message = frame["message"]
        self._run.note_state(message)
        held = self.replica.messages.get(message["conversation_id"], {}).get(message["id"])
        self._see(frame, message, message["id"], repeats=self._repeats(frame, held))
        self.requests.changed(frame.get("ref"), message)

    def _repeats(self, frame: Frame, held: Frame | None) -> bool:
        """Tell whether a message is none that is new to this device, by the nature of the frame that brings it."""
        if frame.get("queued", False):
            # What waits in the queue comes to every device, in its present state, to those that hold it too, and to
            # those that have yet to fetch it, because the conversation was reset.
            return held is not None or frame["message"]["conversation_id"] in self._yet_to_fetch
        if "ref" not in frame:
            return False
        # An answer may repeat what is there already, which a device cannot tell that has yet to fetch what was reset.
        message = frame["message"]
        return held["rev"] >= message["rev"] if held else message["conversation_id"] in self.replica.to_fetch

    def _see(self, frame: Frame, place: Frame, message_id: str, *, repeats: bool) -> None:
        live = self.replica.live
        conversation_id = place["conversation_id"]
        seen = Seen(
            frame["type"], conversation_id, message_id, place["seq"], place["rev"], live, repeats, "ref" in frame
        )
        self._record.seen.append(seen)
        self._note(conversation_id, message_id, place["seq"])

    def _see_other(self, type_: str, conversation_id: str, *, seq: int = 0) -> None:
        seen = Seen(type_, conversation_id, "", seq, 0, self.replica.live, repeats=False)
        self._record.seen.append(seen)

    def _note(self, conversation_id: str, message_id: str, seq: int) -> None:
        self._highest[conversation_id] = max(seq, self._highest.get(conversation_id, 0))
        self.recent.append((conversation_id, message_id))

    # --- what it confirms

    def _unconfirmed(self) -> dict[str, int]:
        return {
            conversation_id: seq
            for conversation_id, seq in self._highest.items()
            if conversation_id in self.replica.messages
            and conversation_id not in self.replica.to_fetch
            and seq > self._confirmed.get(conversation_id, 0)
        }

    async def _confirm(self, socket: ClientConnection) -> None:
        for conversation_id, seq in self._unconfirmed().items():
            self._confirmed[conversation_id] = seq
            type_ = "read" if conversation_id in self._read else "delivered"
            self._read.discard(conversation_id)
            mark = {"conversation_id": conversation_id, "seq": seq, "ref": f"{MARK}{conversation_id}"}
            await socket.send(json.dumps({"type": type_, **mark}))
