"""The tokens of the terminal client: private, whole, shared between programs."""

import asyncio
import stat
from pathlib import Path

import pytest

from chat_mvp.cli.chat.store import FileStore
from chat_mvp.client import Tokens

SERVER = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def tokens(name: str) -> Tokens:
    return Tokens(access_token=f"access-{name}", refresh_token=f"refresh-{name}", expires_in=900)


def test_what_was_kept_is_found_again_until_it_is_forgotten() -> None:
    store = FileStore(SERVER, "default")
    assert store.load() is None
    store.save(tokens("ada"))
    assert FileStore(SERVER + "/", "default").load() == tokens("ada")
    store.save(None)
    assert store.load() is None


def test_profiles_and_servers_are_kept_apart() -> None:
    FileStore(SERVER, "ada").save(tokens("ada"))
    assert FileStore(SERVER, "bob").load() is None
    assert FileStore("http://127.0.0.1:8081", "ada").load() is None


def test_the_file_is_for_its_owner_alone() -> None:
    store = FileStore(SERVER, "default")
    store.save(tokens("ada"))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_a_damaged_file_counts_as_signed_out() -> None:
    store = FileStore(SERVER, "default")
    store.save(tokens("ada"))
    store.path.write_text("{")
    assert store.load() is None


def test_tokens_do_not_show_themselves() -> None:
    assert "refresh-ada" not in repr(tokens("ada"))


async def test_one_renews_at_a_time() -> None:
    order: list[str] = []

    async def renew(name: str) -> None:
        async with FileStore(SERVER, "default").exclusive():
            order.append(f"{name} in")
            await asyncio.sleep(0.02)
            order.append(f"{name} out")

    await asyncio.gather(*(renew(name) for name in "abc"))
    assert [entry.split()[1] for entry in order] == ["in", "out"] * 3
