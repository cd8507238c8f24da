"""The checker has no complaints about a correct chat, whatever people and networks do."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from tests.faults.checker import check
from tests.faults.model import PlainChat

ROOMS = {
    "pair": frozenset({"ann", "bob"}),
    "trio": frozenset({"ann", "bob", "cyd"}),
    "other": frozenset({"bob", "cyd"}),
}
DEVICES = {"ann-1": "ann", "ann-2": "ann", "bob-1": "bob", "cyd-1": "cyd"}

OWNER = {"pair": "ann", "trio": "ann", "other": "bob"}
"""One person always stays, and knows the whole history afterwards."""

people = st.sampled_from(sorted(set(DEVICES.values())))
devices = st.sampled_from(sorted(DEVICES))
rooms = st.sampled_from(sorted(ROOMS))
emojis = st.sampled_from(["👍", "🎉"])


class FaultlessChat(RuleBasedStateMachine):
    """People on devices that come and go, and lose answers together with their connections."""

    sent = Bundle("sent")

    @initialize()
    def begin(self) -> None:
        self.chat = PlainChat(ROOMS)
        self.names = 0
        for name, person in DEVICES.items():
            self.chat.add_device(name, person)
            self.chat.connect(name)

    def _present(self, device: str) -> str:
        if self.chat.gadgets[device].connection is None:
            self.chat.connect(device)
        return device

    @rule(target=sent, device=devices, room=rooms, lost=st.booleans())
    def send(self, device: str, room: str, lost: bool) -> object:
        if DEVICES[device] not in self.chat.rooms[room].since:
            return multiple()
        self.names += 1
        entry = (self._present(device), room, f"name {self.names}", f"text {self.names}")
        self._send(entry, lost)
        return entry

    @rule(entry=sent, lost=st.booleans())
    def send_again(self, entry: tuple[str, str, str, str], lost: bool) -> None:
        self._present(entry[0])
        self._send(entry, lost)

    def _send(self, entry: tuple[str, str, str, str], lost: bool) -> None:
        device, room, name, text = entry
        if lost:
            # The connection goes before the answer, so the device never learns of the message from it.
            self.chat.disconnect(device)
        self.chat.send(device, room, name, text, answer_lost=lost)

    @rule(device=devices, number=st.integers(0, 50), kind=st.sampled_from(["edit", "delete"]), lost=st.booleans())
    def change_own(self, device: str, number: int, kind: str, lost: bool) -> None:
        own = [m for m in self.chat.messages() if m["sender_id"] == DEVICES[device] and m["kind"] == "text"]
        if not own:
            return
        message_id = own[number % len(own)]["id"]
        if kind == "edit":
            self.names += 1
            self.chat.edit(device, message_id, f"text {self.names}", answer_lost=lost)
        else:
            self.chat.delete(device, message_id, answer_lost=lost)

    @rule(device=devices, number=st.integers(0, 50), emoji=emojis, present=st.booleans(), lost=st.booleans())
    def react(self, device: str, number: int, emoji: str, present: bool, lost: bool) -> None:
        visible = [m for m in self.chat.messages() if m["kind"] == "text"]
        if visible:
            message_id = visible[number % len(visible)]["id"]
            self.chat.react(device, message_id, emoji, present=present, answer_lost=lost)

    @rule(actor=people, person=people, room=rooms, lost=st.booleans())
    def let_in(self, actor: str, person: str, room: str, lost: bool) -> None:
        if actor in self.chat.rooms[room].since:
            self.chat.add_member(actor, room, person, answer_lost=lost)

    @rule(actor=people, person=people, room=rooms, lost=st.booleans())
    def let_out(self, actor: str, person: str, room: str, lost: bool) -> None:
        if actor in self.chat.rooms[room].since and person != OWNER[room]:
            self.chat.remove_member(actor, room, person, answer_lost=lost)

    @rule(device=devices)
    def lose_connection(self, device: str) -> None:
        self.chat.disconnect(device)

    @rule(device=devices)
    def come_back(self, device: str) -> None:
        self.chat.connect(device)

    @rule(device=devices, room=rooms)
    def confirm(self, device: str, room: str) -> None:
        self.chat.confirm(device, room)

    @invariant()
    def what_waits_was_not_confirmed(self) -> None:
        places = {(message["conversation_id"], message["seq"]) for message in self.chat.messages()}
        for person, room, seq in self.chat.queue:
            assert person in self.chat.rooms[room].since
            assert (room, seq) in places

    def teardown(self) -> None:
        assert check(self.chat.finish()) == []


FaultlessChat.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestFaultlessChat = FaultlessChat.TestCase
