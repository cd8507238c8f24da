"""After a run: what is owed to people who were connected and confirmed nothing, when the server ends at any moment.

The devices of a run confirm within 100 ms, so hardly anything is owed to a connected user. Here no one confirms. In
each round, some people are connected and others are away, messages are sent, and the server is killed before, while or
after the sweep completes the queues. Then each person must get exactly what was sent since their last confirmation.
"""

import asyncio
import random
from collections.abc import Sequence

from chat_mvp.delivery.sweep import PERIOD_S
from tests.faults.topology import Topology
from tests.support.people import Person
from tests.support.socket import Socket
from tests.support.waiting import eventually

ROUNDS = 3
MESSAGES_AT_ONCE = 6
KILL = "kill -9 of the server"


class Owed:
    """What the model says is owed to each person, by conversation."""

    def __init__(self, place: Topology, people: Sequence[Person], chance: random.Random) -> None:
        self._place = place
        self._people = people
        self._chance = chance
        self._expected: dict[str, dict[str, list[int]]] = {person.id: {} for person in people}

    async def complaints(self) -> list[str]:
        """Return what differed in some rounds."""
        found: list[str] = []
        for _ in range(ROUNDS):
            await self._one_round()
            for person in self._people:
                found += await self._compare(person)
        return found

    async def _one_round(self) -> None:
        chance = self._chance
        sockets = [await person.connect() for person in self._people if chance.random() < 0.6]
        for sender in chance.sample(self._people, 2):
            conversations = await sender.conversations()
            if not conversations:
                # They were removed from all of them.
                continue
            conversation = chance.choice(conversations)["id"]
            members = await sender.members(conversation)
            for number in range(chance.randint(1, MESSAGES_AT_ONCE)):
                message = await sender.say(conversation, f"owed {number}")
                for user_id in members:
                    if user_id != sender.id:
                        self._expected[user_id].setdefault(conversation, []).append(message["seq"])
        await asyncio.sleep(chance.uniform(0, 2.5 * PERIOD_S))
        if chance.random() < 0.7:
            await self._place.harms[KILL](0)
        for socket in sockets:
            await socket.close()

    async def _compare(self, person: Person) -> list[str]:
        """Compare what a connect brings with the model, and confirm some of it."""
        socket = await person.connect()
        expected = self._expected[person.id]
        received: dict[str, list[int]] = {}
        for frame in socket.all("message.new", queued=True):
            received.setdefault(frame["message"]["conversation_id"], []).append(frame["message"]["seq"])
        count = sum(map(len, expected.values()))
        complaints = []
        if received != expected or socket.ready["queued"] != count:
            complaints.append(
                f"owed to {person.username}: {expected}, and a connect brought {received}, announced as "
                f"{socket.ready['queued']}"
            )
        if self._chance.random() < 0.5:
            await self._confirm(person, socket, received)
        await socket.close()
        return complaints

    async def _confirm(self, person: Person, socket: Socket, received: dict[str, list[int]]) -> None:
        for conversation, seqs in received.items():
            up_to = self._chance.choice(seqs)
            await socket.tell("delivered", conversation_id=conversation, seq=up_to)

            async def stored(conversation: str = conversation, up_to: int = up_to) -> bool:
                return bool((await person.conversation(conversation))["me"]["delivered_seq"] >= up_to)

            await eventually(stored)
            rest = [seq for seq in seqs if seq > up_to]
            self._expected[person.id][conversation] = rest
            if not rest:
                del self._expected[person.id][conversation]
