"""What members may see of the history: decided when they join, whatever becomes of the conversation afterwards."""

import random
from typing import Any

import httpx
import pytest

from chat_mvp.features.conversations.schemas import ConversationChanges
from tests.support.http import expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person, reaction_path
from tests.support.socket import Socket

LONG_AGO = "2020-01-01T00:00:00Z"


class Model:
    """One group, and who may see which of its messages."""

    def __init__(self, owner: Person, others: list[Person]) -> None:
        self.owner = owner
        self.people = {person.id: person for person in (owner, *others)}
        self.sockets: dict[str, Socket] = {}
        self.is_public = False
        self.public_after = 0
        self.ids: list[str] = []
        """Of messages, by ``seq`` from 1 on; system messages too."""
        self.visible: dict[str, set[int]] = {}
        """By member."""
        self.joined_after: dict[str, int] = {}
        self.ever: dict[str, set[int]] = {person: set() for person in self.people}
        self.room = ""

    async def make(self) -> None:
        for person in self.people.values():
            self.sockets[person.id] = await person.connect()
        self.room = await self.owner.group()
        self._join(self.owner)
        await self._spoken(1)

    def _join(self, person: Person) -> None:
        last = len(self.ids)
        self.joined_after[person.id] = last
        self.visible[person.id] = set(range(self.public_after + 1, last + 1)) if self.is_public else set()

    async def _spoken(self, count: int) -> None:
        """Take note of new messages, which every present member may see."""
        for message in await self.owner.page(self.room, after=len(self.ids), limit=200):
            self.ids.append(message["id"])
            count -= 1
            for seen in self.visible.values():
                seen.add(len(self.ids))
        assert count == 0, "every change is one message"
        for person, seen in self.visible.items():
            self.ever[person] |= seen

    # --- what happens

    async def say(self, dice: random.Random) -> None:
        speaker = self._member(dice)
        await speaker.say(self.room, f"message {len(self.ids) + 1}")
        await self._spoken(1)

    async def join(self, dice: random.Random) -> None:
        outside = sorted(self.people.keys() - self.visible.keys())
        if outside:
            person = self.people[dice.choice(outside)]
            expect_json(await self.owner.put(f"/conversations/{self.room}/members/{person.id}", role="admin"))
            self._join(person)
            await self._spoken(1)

    async def leave(self, dice: random.Random) -> None:
        inside = sorted(self.visible.keys() - {self.owner.id})
        if inside:
            person = self.people[dice.choice(inside)]
            if dice.random() < 0.5:
                expect_nothing(await person.post(f"/conversations/{self.room}/leave"))
            else:
                expect_nothing(await self.owner.delete(f"/conversations/{self.room}/members/{person.id}"))
            del self.visible[person.id]
            await self._spoken(1)

    async def turn(self, dice: random.Random) -> None:
        """Change the visibility, as an admin."""
        self.is_public = not self.is_public
        visibility = "public" if self.is_public else "private"
        expect_json(await self._member(dice).patch(f"/conversations/{self.room}", visibility=visibility))
        if self.is_public:
            self.public_after = len(self.ids)
        await self._spoken(1)

    async def touch(self, dice: random.Random) -> None:
        """Change an old message in some way; those who may see it get a frame."""
        message_id = dice.choice(self.ids)
        await self.owner.react(message_id, dice.choice("👍🎉"))
        await self.owner.pin(message_id)

    def _member(self, dice: random.Random) -> Person:
        return self.people[dice.choice(sorted(self.visible))]

    # --- what can be read

    async def check(self, dice: random.Random) -> None:
        for person in self.people.values():
            seen = self.visible.get(person.id)
            if seen is None:
                await self._check_outside(person)
            else:
                await self._check_lists(person, seen, dice)
            await self._check_single(person, seen or set())
            self._check_frames(person)

    async def _check_outside(self, person: Person) -> None:
        for path in ("", "/messages", "/members", "/pins"):
            expect_problem(await person.get(f"/conversations/{self.room}{path}"), 404, "not_found")
        expect_problem(await person.get("/sync", conversation_id=self.room), 404, "not_found")
        assert self._seqs(expect_json(await person.get("/messages/sync", after=LONG_AGO))["items"]) == set()

    async def _check_lists(self, person: Person, seen: set[int], dice: random.Random) -> None:
        history = await person.history(self.room)
        assert self._seqs(history) == seen
        pins = expect_json(await person.get(f"/conversations/{self.room}/pins"))["items"]
        assert pins == [message for message in reversed(history) if message["pinned"]]
        backwards: set[int] = set()
        bound = len(self.ids) + 1
        while page := await person.page(self.room, before=bound, limit=3):
            backwards |= self._seqs(page)
            bound = page[0]["seq"]
        assert backwards == seen
        middle = dice.randint(1, len(self.ids))
        around = self._seqs(await person.page(self.room, around=middle, limit=5))
        assert around <= seen
        assert (middle in around) == (middle in seen)
        changed = expect_json(await person.get("/sync", conversation_id=self.room, after_rev=0, limit=200))["items"]
        assert self._seqs(changed) == seen
        by_time = expect_json(await person.get("/messages/sync", after=LONG_AGO, limit=200))["items"]
        since_joining = {seq for seq in seen if seq > self.joined_after[person.id]}
        assert self._seqs(by_time) == since_joining
        for conversation in (await person.conversation(self.room), (await person.conversations())[0]):
            assert conversation["last_message"] is None or conversation["last_message"]["seq"] in seen
        for known in (None, {}, {self.room: 0}):
            socket = await person.connect(known=known)
            caught_up = [frame["message"] for frame in socket.frames if "message" in frame]
            assert self._seqs(caught_up) <= since_joining
            await socket.close()

    async def _check_single(self, person: Person, seen: set[int]) -> None:
        for seq, message_id in enumerate(self.ids, start=1):
            path = f"/messages/{message_id}"
            answers = [await person.get(path), await person.get(f"{path}/receipts"), await person.get(f"{path}/edits")]
            if seq not in seen:
                answers += [await person.put(reaction_path(message_id, "👀")), await person.delete(path)]
                answers += [await person.patch(path, text="mine"), await person.put(f"{path}/pin")]
                for reference in ("reply_to", "thread_root"):
                    body = {"client_message_id": f"{reference}{seq}", "text": "so?", reference: message_id}
                    answers.append(await person.post(f"/conversations/{self.room}/messages", **body))
            expected = httpx.codes.OK if seq in seen else httpx.codes.NOT_FOUND
            assert [answer.status_code for answer in answers] == [expected] * len(answers), (seq, sorted(seen))

    def _check_frames(self, person: Person) -> None:
        frames = [frame["message"] for frame in self.sockets[person.id].frames if "message" in frame]
        assert self._seqs(frames) <= self.ever[person.id]

    def _seqs(self, messages: list[dict[str, Any]]) -> set[int]:
        return {message["seq"] for message in messages if message["conversation_id"] == self.room}


SLOW_SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3)]


@pytest.mark.parametrize("seed", [0, 1, *SLOW_SEEDS])
async def test_a_model_of_who_may_see_what(chat: Chat, seed: int) -> None:
    dice = random.Random(seed)
    ann, *others = await chat.people("ann", "bob", "cat")
    model = Model(ann, others)
    await model.make()
    doings = [model.say, model.say, model.join, model.join, model.leave, model.turn, model.touch]
    for step in range(1, 25):
        await dice.choice(doings)(dice)
        if step % 12 == 0:
            await model.check(dice)


async def test_a_late_admin_reveals_nothing(chat: Chat) -> None:
    ann, bob, late = await chat.people("ann", "bob", "late")
    room = await ann.group(bob)
    secret = await ann.say(room, "before late")
    expect_json(await ann.put(f"/conversations/{room}/members/{late.id}", role="admin"))
    socket, bystander = await late.connect(), await bob.connect()
    for visibility in ("public", "private", "public"):
        rev = (await bob.conversation(room))["rev"]
        expect_json(await late.patch(f"/conversations/{room}", visibility=visibility))
        said = await bystander.expect("message.new")
        assert said["message"]["kind"] == "system"
        assert f"made this group {visibility}" in said["message"]["text"]
        assert (await bob.conversation(room))["rev"] == rev + 1
        expect_problem(await late.get(f"/messages/{secret['id']}"), 404, "not_found")
        assert secret["id"] not in str(await late.history(room))
    await ann.edit(secret["id"], "edited before late")
    await late.say(room, "done")
    await bystander.expect_text("done")
    assert secret["id"] not in str(socket.frames)


async def test_a_member_who_joined_in_public_keeps_the_visible_history(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    hall = await ann.group(visibility="public")
    spoken = await ann.say(hall, "in public")
    expect_json(await ann.put(f"/conversations/{hall}/members/{bob.id}"))
    expect_json(await ann.patch(f"/conversations/{hall}", visibility="private"))
    assert (await bob.message(spoken["id"]))["text"] == "in public"
    expect_json(await ann.put(f"/conversations/{hall}/members/{cat.id}"))
    expect_problem(await cat.get(f"/messages/{spoken['id']}"), 404, "not_found")


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"name": "Another"}, "renamed this to “\u2068Another\u2069”"),
    ({"description": "What we do"}, "changed the description"),
    ({"description": ""}, "removed the description"),
    ({"visibility": "public"}, "made this group public: people who join later see messages from here on"),
    ({"visibility": "private"}, "made this group private: people who join later see messages from when they join"),
    ({"avatar_url": "/picture.png"}, "changed the picture"),
    ({"avatar_url": None}, "removed the picture"),
    ({"max_participants": 1_000}, "set the limit on members to 1,000"),
    ({"max_participants": None}, "removed the limit on members"),
    ({"settings": {"post": "admins"}}, "let only admins write"),
    ({"settings": {"post": "members"}}, "let everyone write"),
]


async def test_every_change_of_a_conversation_has_a_system_message(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    socket = await bob.connect()
    for change, text in CHANGES:
        expect_json(await ann.patch(f"/conversations/{room}", **change))
        before = await bob.conversation(room)
        told = await socket.expect("message.new")
        assert (told["message"]["kind"], told["message"]["sender_id"]) == ("system", ann.id)
        assert told["message"]["text"].endswith(text)
        expect_json(await ann.patch(f"/conversations/{room}", **change))
        assert (await bob.conversation(room))["rev"] == before["rev"], "the same again changes nothing"
    assert {name for change, _ in CHANGES for name in change} == set(ConversationChanges.__struct_fields__)
