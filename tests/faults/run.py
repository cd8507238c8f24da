"""One seeded run: people talk, things break, and in the end everything is compared."""

import asyncio
import random
import time
from pathlib import Path

from msgspec import Struct

from tests.faults.checker import check, check_copies
from tests.faults.comings import Comings
from tests.faults.copies import KILLS, Copies
from tests.faults.device import Device
from tests.faults.observations import Observations, Stored, View
from tests.faults.owed import Owed
from tests.faults.slow import slow_down_readers
from tests.faults.tally import Tally
from tests.faults.topology import TOPOLOGIES, Topology
from tests.support.people import Chat, Person
from tests.support.waiting import eventually

DEVICES_EACH = 2
ACTIONS_PER_S = 6.0
"""Of each device."""
MOST_UNSETTLED = 40
EMOJIS = ("👍", "🎉", "😀", "🚀")
FAULT_EVERY_S = (1.0, 3.0)
HANG_S = (0.5, 6.0)
PAUSE_S = (0.5, 8.0)
LONG_PAUSE_S = (20.0, 40.0)
BUSY_SHARE = 0.6
CUTS = "dropped connections"
ELECTIONS = {"kill -9 of the primary", "hang of the primary", "step down"}
SETTLE_WITHIN_S = 60.0
QUIET_S = 1.0


class Result(Struct):
    """What came of a run."""

    topology: str
    seed: int
    seconds: float
    tally: Tally
    violations: list[str]
    messages: int
    devices: int


async def run(topology: str, *, seed: int, seconds: float, directory: Path) -> Result:
    """Run once; what is left in ``directory`` afterwards are data and logs."""
    place = TOPOLOGIES[topology](directory)
    copies = Copies(place.mongo_uri, place.server.database, directory)
    try:
        await place.start()
        copies.keep_running()
        async with Chat(place.server) as chat:
            return await _Run(topology, place, chat, copies, seed).run(seconds)
    finally:
        copies.kill()
        await place.stop()


class _Run:
    """The parts of one run while it lasts."""

    def __init__(self, topology: str, place: Topology, chat: Chat, copies: Copies, seed: int) -> None:
        self._topology = topology
        self._seed = seed
        self._place = place
        self._chat = chat
        self._copies = copies
        self._chance = random.Random(seed)
        self._seen = Observations()
        self._tally = Tally()
        self._people: list[Person] = []
        self._owners: dict[str, Person] = {}
        self._devices: list[Device] = []
        self._lives: list[asyncio.Task[None]] = []
        self._violations: list[str] = []

    async def run(self, seconds: float) -> Result:
        """Gather people, let them talk for so long while things break, and compare."""
        await self._gather()
        self._lives = [asyncio.create_task(device.live(), name=device.name) for device in self._devices]
        await self._settle("at the start")
        self._tally.begin()
        ends_at = time.monotonic() + seconds
        await asyncio.gather(
            self._break_processes(ends_at),
            self._break_connections(ends_at),
            self._come_and_go(ends_at),
            self._break_consumers(ends_at),
            slow_down_readers(self._devices, random.Random(f"{self._seed} slow readers"), ends_at),
            *(self._act(d, ends_at) for d in self._devices),
        )
        self._tally.end()
        for device in self._devices:
            device.come_back()
        await self._settle("after the faults")
        await self._fetch()
        # What live frames left behind is compared here, what coming back brings with everything else below.
        self._violations += check_copies(self._seen)
        for device in self._devices:
            device.cut()
        await asyncio.sleep(QUIET_S)
        await self._settle("after coming back")
        await self._fetch()
        await self._count_queued()
        for device in self._devices:
            await device.leave()
        await asyncio.gather(*self._lives)
        owed = Owed(self._place, self._people, random.Random(f"{self._seed} owed"))
        self._violations += await owed.complaints()
        self._violations += await self._copies.complaints()
        return self._result(seconds)

    async def _gather(self) -> None:
        """Create people with devices, who talk in pairs and groups; no one is in all of them."""
        names = ("ann", "bob", "cyd", "dan", "eve")
        ann, bob, cyd, dan, eve = self._people = await self._chat.people(*names)
        self._seen.names = {person.username: person.id for person in self._people}
        for one, other in ((ann, bob), (cyd, eve)):
            # Both ask for it, or the other one would not see it before its first message.
            await one.direct(other)
            self._seen.founders[await other.direct(one)] = frozenset({one.id, other.id})
        for name, owner, *others in (("Four", bob, cyd, dan, eve), ("Three", eve, ann, dan)):
            group = await owner.group(*others, name=name)
            self._owners[group] = owner
            self._seen.founders[group] = frozenset(person.id for person in (owner, *others))
        for group, owner in self._owners.items():
            self._seen.founded_at[group] = (await owner.conversation(group))["created_at"]
        self._devices = [
            Device(
                f"{name}-{number}",
                person,
                self._place.server.websocket_url,
                run=self._seen,
                tally=self._tally,
                chance=random.Random(f"{self._seed} {name} {number}"),
            )
            for name, person in zip(names, self._people, strict=True)
            for number in range(DEVICES_EACH)
        ]

    async def _act(self, device: Device, ends_at: float) -> None:
        """Do what people do, on one device, at random moments."""
        chance = random.Random(f"{self._seed} {device.name} acts")
        number = 0
        while time.monotonic() < ends_at:
            await asyncio.sleep(chance.expovariate(ACTIONS_PER_S))
            if device.requests.unsettled >= MOST_UNSETTLED or not device.replica.messages:
                continue
            number += 1
            self._act_once(device, chance, f"{device.name} says {number}")

    def _act_once(self, device: Device, chance: random.Random, text: str) -> None:
        conversations = sorted(device.replica.messages)
        # One of them is busy, so that who stays away for long misses more than is streamed.
        conversation = conversations[-1] if chance.random() < BUSY_SHARE else chance.choice(conversations)
        lot = chance.random()
        if lot < 0.7 or not device.recent:
            device.send(conversation, text)
            return
        if lot < 0.75:
            device.read(conversation)
            return
        conversation_id, message_id = chance.choice(device.recent)
        message = device.replica.messages.get(conversation_id, {}).get(message_id)
        if message is None or message["kind"] != "text" or message["deleted_at"] is not None:
            return
        own = message["sender_id"] == device.person.id
        if lot < 0.85 and own:
            device.change(conversation_id, message_id, "edit", f"{text}, on second thought")
        elif lot < 0.88 and own:
            device.change(conversation_id, message_id, "delete")
        elif lot < 0.96:
            device.change(conversation_id, message_id, "add", chance.choice(EMOJIS))
        else:
            device.change(conversation_id, message_id, "remove", chance.choice(EMOJIS))

    async def _come_and_go(self, ends_at: float) -> None:
        chance = random.Random(f"{self._seed} comings")
        comings = Comings(self._owners, self._people, run=self._seen, tally=self._tally, chance=chance)
        await comings.go_on(ends_at)

    # --- trouble

    async def _break_processes(self, ends_at: float) -> None:
        """Do harm to the server and to the database, to both at once now and then."""
        harms = self._place.harms
        of_server = [name for name in harms if "server" in name]
        of_database = [name for name in harms if name not in of_server]
        while True:
            await asyncio.sleep(self._chance.uniform(*FAULT_EVERY_S))
            chosen = [self._chance.choice([*of_server, *of_database])]
            if self._chance.random() < 0.25:
                chosen = [self._chance.choice(of_server), self._chance.choice(of_database)]
            hang_s = self._chance.uniform(*HANG_S)
            if time.monotonic() > ends_at:
                return
            self._tally.faults.update(chosen)
            await asyncio.gather(*(harms[name](hang_s) for name in chosen))

    async def _break_connections(self, ends_at: float) -> None:
        """Cut connections, and send devices away for a while."""
        chance = random.Random(f"{self._seed} connections")
        while time.monotonic() < ends_at:
            await asyncio.sleep(chance.uniform(0.3, 1.5))
            device = chance.choice(self._devices)
            self._tally.faults[CUTS] += 1
            lot = chance.random()
            if lot < 0.05:
                device.pause(chance.uniform(*LONG_PAUSE_S))
            elif lot < 0.3:
                device.pause(chance.uniform(*PAUSE_S))
            else:
                device.cut()

    async def _break_consumers(self, ends_at: float) -> None:
        chance = random.Random(f"{self._seed} consumers")
        await self._copies.break_until(ends_at, chance, lambda: self._tally.faults.update([KILLS]))

    # --- the end

    async def _settle(self, when: str) -> None:
        """Wait until every device has caught up and waits for nothing, and nothing moves any more."""
        deadline = time.monotonic() + SETTLE_WITHIN_S
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_S:
            for life in self._lives:
                if life.done():
                    life.result()
            waiting = [device for device in self._devices if not device.settled]
            if waiting:
                quiet_since = time.monotonic()
            if time.monotonic() > deadline:
                states = "; ".join(device.state for device in waiting)
                self._violations.append(f"{when}: not settled within {SETTLE_WITHIN_S:g} s: {states}")
                return
            await asyncio.sleep(0.05)

    async def _fetch(self) -> None:
        """Fetch everything anew over HTTP, as each member sees it, and note what every device holds."""
        self._seen.stored.clear()
        self._seen.views.clear()
        for person in self._people:
            for conversation in await person.conversations():
                conversation_id, joined_seq = conversation["id"], conversation["me"]["joined_seq"]
                messages = await person.history(conversation_id)
                self._seen.views[person.id, conversation_id] = View(joined_seq, conversation["rev"], messages)
                if joined_seq:
                    continue
                stored = Stored(
                    members=frozenset(await person.members(conversation_id)),
                    rev=conversation["rev"],
                    last_seq=conversation["last_seq"],
                    messages=messages,
                )
                first = self._seen.stored.setdefault(conversation_id, stored)
                if first != stored:
                    self._violations.append(f"{person.username} fetches another conversation {conversation_id}")
        self._seen.copies = {
            device.name: (device.person.id, {i: dict(held) for i, held in device.replica.messages.items()})
            for device in self._devices
        }

    async def _count_queued(self) -> None:
        for person in self._people:

            async def count(person: Person = person) -> int:
                socket = await person.connect()
                queued: int = socket.ready["queued"]
                await socket.close()
                return queued

            try:
                await eventually(count, lambda queued: queued == 0, within=10.0)
                self._seen.queued[person.username] = 0
            except AssertionError:
                self._seen.queued[person.username] = await count()

    def _result(self, seconds: float) -> Result:
        try:
            self._place.server.check_log()
        except AssertionError as error:
            self._violations.append(str(error))
        return Result(
            topology=self._topology,
            seed=self._seed,
            seconds=seconds,
            tally=self._tally,
            violations=list(dict.fromkeys([*self._violations, *check(self._seen)])),
            messages=len({(ack.sender, ack.client_message_id) for ack in self._seen.acks}),
            devices=len(self._devices),
        )
