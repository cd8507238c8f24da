"""An invisible user looks offline in every place where others can look."""

import asyncio
from typing import Any

import pytest

from tests.conftest import Launch
from tests.support.http import expect_json
from tests.support.people import Chat, Person
from tests.support.socket import Socket

GRACE_S = 8.0
QUIET_S = 0.6
FRAMES = {"presence", "typing", "receipt", "message.ack", "member.updated", "conversation.updated"}


class Scene:
    """Ann looks at Bob, whom she knows from a direct conversation, a group and her contacts."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def begin(self) -> None:
        self.ann, self.bob = await self._chat.people("ann", "bob")
        await self.ann.add_contact(self.bob)
        self.rooms = [await self.ann.direct(self.bob), await self.ann.group(self.bob)]
        for room in self.rooms:
            await self.ann.say(room, "one")
        self.watcher, self.device = await self.ann.connect(), await self.bob.connect()
        await self.watcher.ask("presence.subscribe", user_ids=[self.bob.id])
        for room in self.rooms:
            await self.device.tell("read", conversation_id=room, seq=1)
            await self.watcher.expect("receipt", conversation_id=room)

    async def go(self, *, invisible: bool, text: str | None = None) -> None:
        """Set Bob's state, and return when Ann has got the frame."""
        if invisible:
            fields = {} if text is None else {"status_text": text}
            await self.device.ask("presence.set", state="invisible", **fields)
        else:
            await self.device.close()
        await self.watcher.expect("presence", user_id=self.bob.id, state="offline", within=GRACE_S)
        self._gone_at = len(self.watcher.frames)

    async def look(self) -> dict[str, Any]:
        """Return everything that Ann can find out, without what differs in any two runs."""
        statuses = [(await self.watcher.say(room, "are you there?"))["status"] for room in self.rooms]
        await asyncio.sleep(QUIET_S)
        presence = expect_json(await self.ann.get(f"/users/{self.bob.id}/presence"))
        late = await self.ann.connect()
        (snapshot,) = late.all("presence.snapshot")
        (shown,) = [item for item in snapshot["items"] if item["user_id"] == self.bob.id]
        assert shown == presence
        assert late.ready is not None
        return {
            "told": [self._neutral(frame) for frame in self.watcher.frames[self._gone_at :] if frame["type"] in FRAMES],
            "statuses": statuses,
            "presence": (presence["state"], presence["last_seen"] is not None, presence["status_text"]),
            "ready": [(it["others_delivered_seq"], it["others_read_seq"]) for it in late.ready["conversations"]],
            "rooms": [await self._marks(room) for room in self.rooms],
        }

    async def last_seen(self) -> str:
        presence = expect_json(await self.ann.get(f"/users/{self.bob.id}/presence"))
        last_seen: str = presence["last_seen"]
        return last_seen

    async def _marks(self, room: str) -> list[Any]:
        conversation = await self.ann.conversation(room)
        member = (await self.ann.members(room))[self.bob.id]
        found: list[Any] = [conversation["others_delivered_seq"], conversation["others_read_seq"]]
        found += [member["delivered_seq"], member["read_seq"]]
        for message in await self.ann.history(room):
            items = expect_json(await self.ann.get(f"/messages/{message['id']}/receipts"))["items"]
            found += [(item["state"], item["at"] is not None) for item in items]
        return found

    def _neutral(self, frame: dict[str, Any]) -> tuple[Any, ...]:
        place = self.rooms.index(frame["conversation_id"]) if "conversation_id" in frame else None
        return frame["type"], place, frame.get("state"), frame.get("status"), frame.get("read_seq")


async def live_on(scene: Scene) -> None:
    """Do everything that an invisible person may do without speaking."""
    phone = await scene.bob.connect()
    for room in scene.rooms:
        last = (await scene.bob.conversation(room))["last_seq"]
        await phone.tell("delivered", conversation_id=room, seq=last)
        await phone.tell("typing", conversation_id=room, state="start")
        await phone.tell("read", conversation_id=room, seq=last)
        await phone.tell("typing", conversation_id=room, state="stop")
        await phone.tell("typing", conversation_id=room, state="start")
    await phone.ask("presence.set", state="invisible", status_text="another")
    await phone.ask("presence.set", state="invisible", status_text="hidden")
    await phone.ask("presence.subscribe", user_ids=[scene.ann.id])
    await phone.close()
    await scene.device.close()
    await scene.bob.connect()


async def test_invisible_and_away_look_the_same(chat: Chat) -> None:
    seen = []
    for invisible in (False, True):
        scene = Scene(chat)
        await scene.begin()
        await scene.go(invisible=invisible)
        gone = await scene.last_seen()
        if invisible:
            await live_on(scene)
        else:
            expect_json(await scene.bob.patch("/users/me", status_text="hidden"))
        await asyncio.sleep(QUIET_S)
        first = await scene.look()
        if invisible:
            await live_on(scene)
        seen += [first, await scene.look()]
        assert await scene.last_seen() == gone
    away, away_later, hidden, hidden_later = seen
    assert hidden == away
    assert hidden_later == away_later
    assert away["statuses"] == ["queued", "queued"]


async def test_going_invisible_is_sent_with_the_previous_status_text(chat: Chat) -> None:
    scene = Scene(chat)
    await scene.begin()
    await scene.device.ask("presence.set", state="online", status_text="at work")
    await scene.watcher.expect("presence", status_text="at work")
    await scene.go(invisible=True, text="secretly at home")
    assert scene.watcher.all("presence")[-1]["status_text"] == "at work"


async def test_typing_ends_when_the_user_becomes_invisible(chat: Chat) -> None:
    scene = Scene(chat)
    await scene.begin()
    await scene.device.tell("typing", conversation_id=scene.rooms[1], state="start")
    await scene.watcher.expect("typing", state="start")
    await scene.go(invisible=True)
    types = [frame["type"] for frame in scene.watcher.frames if frame["type"] in {"typing", "presence"}]
    assert types[-2:] == ["typing", "presence"], "as of someone whose connection ends"


@pytest.mark.parametrize("by_then", ["connected", "reconnected"])
async def test_marks_are_sent_when_the_user_becomes_visible_again(chat: Chat, by_then: str) -> None:
    scene = Scene(chat)
    await scene.begin()
    await scene.go(invisible=True)
    tablet = await scene.bob.connect()
    reader: Socket = scene.device
    for room in scene.rooms:
        seq = (await scene.ann.say(room, "two"))["seq"]
        await reader.tell("read", conversation_id=room, seq=seq)
        await tablet.expect("receipt", conversation_id=room, read_seq=seq)
    if by_then == "reconnected":
        await reader.close()
        reader = await scene.bob.connect()
    await scene.watcher.nothing("receipt", within=QUIET_S)
    await reader.ask("presence.set", state="online")
    for room in scene.rooms:
        await scene.watcher.expect("receipt", conversation_id=room, user_id=scene.bob.id)
        assert await own_mark(scene.bob, room) == (await scene.ann.conversation(room))["others_read_seq"]


async def test_the_end_of_a_block_shows_no_marks_of_an_invisible_user_who_is_offline(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    message = await ann.say(room, "one")
    phone, tablet = await bob.connect(), await bob.connect()
    await phone.ask("presence.set", state="invisible")
    await phone.tell("read", conversation_id=room, seq=message["seq"])
    await tablet.expect("receipt", conversation_id=room, read_seq=message["seq"])
    # Nothing is in memory then of what Bob chose, as after ``presence_ttl_seconds``.
    await chat.server.restart()
    await ann.block(bob)
    await ann.unblock(bob)
    assert (await ann.conversation(room))["others_read_seq"] == 0
    (receipt,) = expect_json(await ann.get(f"/messages/{message['id']}/receipts"))["items"]
    assert receipt == {"user_id": bob.id, "state": "queued", "at": None}
    phone = await bob.connect()
    await phone.ask("presence.set", state="online")
    assert (await ann.conversation(room))["others_read_seq"] == message["seq"]


async def own_mark(person: Person, room: str) -> int:
    read_seq: int = (await person.conversation(room))["me"]["read_seq"]
    return read_seq
