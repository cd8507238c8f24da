"""Add members to groups and remove them, over HTTP; requests without an answer are repeated or abandoned."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

import httpx

from tests.faults.memberships import ADD, LEAVE, REMOVE
from tests.faults.observations import Move, Observations
from tests.faults.tally import Tally
from tests.support.people import Person

MOVE_EVERY_S = (0.2, 1.2)
PERSISTENCE = 0.7
"""The probability that a change without a (successful) answer is requested again."""
STAY_SHARE = 0.5
"""The share of chosen members that are not removed, so that most people are members most of the time."""
DONE = {200, 204}
RETRIABLE = 503
NOT_THERE = 404
"""The member has been removed already: by an earlier request whose answer was lost."""


class Comings:
    """Adds members to groups and removes them. The owner of each group stays."""

    def __init__(
        self,
        owners: Mapping[str, Person],
        people: Sequence[Person],
        *,
        run: Observations,
        tally: Tally,
        chance: random.Random,
    ) -> None:
        """Change the members of the conversations in ``owners``; all of ``people`` may be added and removed."""
        self._owners = owners
        self._people = people
        self._run = run
        self._tally = tally
        self._chance = chance
        self._inside = {(person_id, i) for i in owners for person_id in run.founders[i]}
        """What is believed; a wrong belief leads to a request that changes nothing."""
        self._busy: set[tuple[str, str]] = set()

    async def go_on(self, ends_at: float) -> None:
        """Continue until then, and until every request is answered or abandoned."""
        async with asyncio.TaskGroup() as tasks:
            while time.monotonic() < ends_at:
                await asyncio.sleep(self._chance.uniform(*MOVE_EVERY_S))
                conversation_id = self._chance.choice(list(self._owners))
                owner = self._owners[conversation_id]
                person = self._chance.choice([one for one in self._people if one is not owner])
                place = (person.id, conversation_id)
                kind = self._choose(place)
                if kind is not None and place not in self._busy:
                    self._busy.add(place)
                    actor = person if kind == LEAVE else owner
                    move = Move(actor.id, person.id, conversation_id, kind)
                    self._run.moves.append(move)
                    tasks.create_task(self._move(actor, move))

    def _choose(self, place: tuple[str, str]) -> str | None:
        if place not in self._inside:
            return ADD
        return None if self._chance.random() < STAY_SHARE else self._chance.choice([REMOVE, LEAVE])

    async def _move(self, actor: Person, move: Move) -> None:
        place = (move.person, move.conversation_id)
        while move.outcome == "unknown":
            move.transmissions += 1
            try:
                self._take(move, await self._ask(actor, move))
            except httpx.TransportError:
                self._tally.moves["without an answer"] += 1
            if move.outcome == "unknown":
                if self._chance.random() >= PERSISTENCE:
                    break
                await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        if move.kind == ADD:
            self._inside.add(place)
        else:
            self._inside.discard(place)
        self._busy.discard(place)

    @staticmethod
    async def _ask(actor: Person, move: Move) -> httpx.Response:
        path = f"/conversations/{move.conversation_id}"
        if move.kind == ADD:
            return await actor.put(f"{path}/members/{move.person}")
        if move.kind == REMOVE:
            return await actor.delete(f"{path}/members/{move.person}")
        return await actor.post(f"{path}/leave")

    def _take(self, move: Move, answer: httpx.Response) -> None:
        if answer.status_code in DONE:
            move.outcome = "done"
            self._tally.moves[move.kind] += 1
            if move.kind == ADD:
                move.joined_at = answer.json()["joined_at"]
        elif answer.status_code == NOT_THERE and move.kind != ADD:
            move.outcome = "refused"
            self._tally.moves["nothing to do"] += 1
        elif answer.status_code == RETRIABLE:
            self._tally.moves["refused as unavailable"] += 1
        else:
            move.outcome = "refused"
            self._run.faults_seen.append(f"{move} was refused: {answer.status_code} {answer.text}")
