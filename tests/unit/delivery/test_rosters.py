"""Loading rosters while blocks are set and lifted: what was dropped is read again, and nothing else."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

from chat_mvp.delivery.rosters import Rosters
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations


class Storage:
    """Conversations whose reads are counted; ``meanwhile`` runs during each read."""

    def __init__(self) -> None:
        self.reads: list[set[str]] = []
        self.meanwhile: Any = lambda: None

    async def fetch(self, ids: Iterable[str]) -> dict[str, Any]:
        wanted = set(ids)
        self.reads.append(wanted)
        self.meanwhile()
        return {i: SimpleNamespace(id=i, kind="group", last_seq=0, direct_key=f"key of {i}") for i in wanted}

    async def fetch_members(self, ids: Iterable[str]) -> dict[str, Any]:
        return {i: {} for i in ids}


def make() -> tuple[Rosters, Storage]:
    storage = Storage()

    async def fetch_no_users(_: Iterable[str]) -> dict[str, Any]:
        return {}

    return Rosters(cast("Conversations", storage), cast("Contacts", None), fetch_no_users), storage


async def test_blocks_between_others_delay_no_read() -> None:
    rosters, storage = make()
    storage.meanwhile = lambda: rosters.forget_direct("someone else's pair")
    await rosters.load(["a", "b"])
    assert storage.reads == [{"a", "b"}]
    assert rosters.get("a") is not None


async def test_what_was_dropped_is_read_again() -> None:
    rosters, storage = make()

    def once() -> None:
        storage.meanwhile = lambda: None
        rosters.forget_direct("key of a")
        rosters.forget(["b"])

    storage.meanwhile = once
    await rosters.load(["a", "b", "c"])
    assert storage.reads == [{"a", "b", "c"}, {"a", "b"}]
    assert all(rosters.get(name) is not None for name in "abc")


async def test_each_read_notes_what_was_dropped_during_it() -> None:
    rosters, _ = make()
    first = rosters.watch()
    rosters.forget(["a"])
    second = rosters.watch()
    rosters.forget_direct("pair")
    assert (first, second) == ({"a", "pair"}, {"pair"})
    del second
    rosters.forget(["b"])
    assert first == {"a", "pair", "b"}
