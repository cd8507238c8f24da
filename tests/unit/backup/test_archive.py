"""The archive of a backup: what is written can be read, and every change of it is refused."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import bson
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_mvp.backup.archive import ArchiveReader, ArchiveWriter
from chat_mvp.backup.manifest import MANIFEST_NAME, NOTE, NOTE_NAME, Manifest
from chat_mvp.backup.progress import Silent
from chat_mvp.backup.restore import check_backup
from chat_mvp.errors import StartupError
from chat_mvp.limits import MAX_BACKUP_PART_BYTES
from tests.support.stored import stored_account, stored_message

COLLECTIONS = frozenset({"messages", "users"})
SCHEMA_VERSION = 3
USERS = [bson.encode(stored_account(f"user {number}")) for number in range(3)]
MESSAGES = [bson.encode(stored_message("hello " * number)) for number in range(40)]

Members = dict[str, bytes]


def write(path: Path) -> Path:
    with path.open("wb") as file:
        archive = ArchiveWriter(file)
        archive.add_part("users", b"".join(USERS), len(USERS))
        archive.add_part("messages", b"".join(MESSAGES[:25]), 25)
        archive.add_part("messages", b"".join(MESSAGES[25:]), 15)
        archive.finish(manifest(archive, {"users": 3, "messages": 40}))
    return path


def manifest(archive: ArchiveWriter, collections: dict[str, int]) -> Manifest:
    return Manifest(
        chat_mvp_version="1.2.3",
        mongodb_version="6.0.5",
        database="chat",
        schema_version=SCHEMA_VERSION,
        epoch="e" * 24,
        taken_at="2026-11-21T10:00:00.000Z",
        collections=collections,
        parts=archive.parts,
    )


async def read(path: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    with ArchiveReader(path, schema_version=SCHEMA_VERSION, collections=COLLECTIONS) as archive:
        await check_backup(archive, Silent())
        for number, part in enumerate(archive.manifest.parts):
            found.setdefault(part.collection, []).extend(archive.documents(number))
    return found


async def refusal(path: Path) -> str:
    with pytest.raises(StartupError) as caught:
        await read(path)
    text = str(caught.value)
    assert len(text.splitlines()) == 1
    assert caught.value.remedy
    return text


async def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert await read(write(tmp_path / "backup.tar")) == {"users": USERS, "messages": MESSAGES}


async def test_other_tools_can_read_it(tmp_path: Path) -> None:
    with tarfile.open(write(tmp_path / "backup.tar")) as archive:
        assert archive.getnames()[0] == NOTE_NAME
        assert archive.getnames()[-1] == MANIFEST_NAME
        part = archive.extractfile("messages/000002.bson.gz")
        assert part is not None
        assert bson.decode_all(gzip.decompress(part.read())) == [bson.decode(it) for it in MESSAGES[25:]]


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_file_that_was_cut_anywhere_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = write(tmp_path / "whole.tar").read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    await refusal(cut)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_changed_byte_is_refused_or_changes_no_document(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(write(tmp_path / "whole.tar").read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    changed = tmp_path / "changed.tar"
    changed.write_bytes(content)
    try:
        found = await read(changed)
    except StartupError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - both may be: padding and notes carry no document
    else:
        assert found == {"users": USERS, "messages": MESSAGES}


@given(st.binary(max_size=3_000))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_other_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert "is not a backup of chat-mvp" in await refusal(path)


async def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    assert "there is no such file" in await refusal(tmp_path / "missing.tar")
    assert "it is not a file" in await refusal(tmp_path)


# ----------------------------------------------------------------------------- archives that were made on purpose


def members_of(path: Path) -> Members:
    with tarfile.open(path) as archive:
        return {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]


def pack(path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], format_: int = tarfile.USTAR_FORMAT) -> None:
    with tarfile.open(path, "w", format=format_) as archive:
        for header, content in members:
            archive.addfile(header, io.BytesIO(content))


def regular(members: Members) -> list[tuple[tarfile.TarInfo, bytes]]:
    found = []
    for name, content in members.items():
        header = tarfile.TarInfo(name)
        header.size = len(content)
        found.append((header, content))
    return found


def with_manifest(members: Members, change: Callable[[dict[str, Any]], object]) -> Members:
    decoded = msgspec.json.decode(members[MANIFEST_NAME])
    change(decoded)
    return members | {MANIFEST_NAME: msgspec.json.encode(decoded)}


def with_part(members: Members, stored: bytes, **changes: object) -> Members:
    """Return the archive with other bytes in its first part, of which the manifest knows, and more it says of it."""
    about = {"stored_bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()} | changes
    changed = with_manifest(members, lambda manifest: manifest["parts"][0].update(about))
    return changed | {"users/000001.bson.gz": stored}


def renamed(members: Members, name: str) -> Members:
    changed = with_manifest(members, lambda manifest: manifest["parts"][0].update(name=name))
    return {(name if it == "users/000001.bson.gz" else it): content for it, content in changed.items()}


MADE_UP: dict[str, Callable[[Members], Members]] = {
    "path out of the directory": lambda it: renamed(it, "../users/000001.bson.gz"),
    "absolute path": lambda it: renamed(it, "/etc/passwd"),
    "unknown collection": lambda it: renamed(it, "system/000001.bson.gz"),
    "skipped number": lambda it: renamed(it, "users/000002.bson.gz"),
    "other digits": lambda it: renamed(it, "users/00000\u0661.bson.gz"),
    "part left out": lambda it: {name: content for name, content in it.items() if name != "users/000001.bson.gz"},
    "part too many": lambda it: {NOTE_NAME: NOTE.encode(), "users/000009.bson.gz": b"x"} | it,
    "manifest without parts": lambda it: with_manifest(it, lambda manifest: manifest.pop("parts")),
    "manifest that is no object": lambda it: it | {MANIFEST_NAME: b"[]"},
    "manifest that is no JSON": lambda it: it | {MANIFEST_NAME: b"\xff{"},
    "wrong count of a collection": lambda it: with_manifest(it, lambda m: m["collections"].update(users=4)),
    "missing collection": lambda it: with_manifest(it, lambda m: m["collections"].pop("users")),
    "more collections": lambda it: with_manifest(it, lambda m: m["collections"].update(meta=0)),
    "wrong count of a part": lambda it: with_manifest(it, wrong_count),
    "negative count": lambda it: with_manifest(it, lambda m: m["parts"][0].update(documents=-3)),
    "version zero": lambda it: with_manifest(it, lambda m: m.update(schema_version=0)),
    "huge declared size": lambda it: with_manifest(it, lambda m: m["parts"][0].update(bytes=1 << 60)),
    "more bytes than declared": lambda it: with_part(it, gzip.compress(b"".join([*USERS, *USERS]))),
    "fewer bytes than declared": lambda it: with_part(it, gzip.compress(USERS[0])),
    "bomb": lambda it: with_part(it, gzip.compress(bytes(200 * 1024 * 1024), 9), bytes=MAX_BACKUP_PART_BYTES),
    "no gzip": lambda it: with_part(it, b"".join(USERS)),
    "two gzip streams": lambda it: with_part(it, gzip.compress(b"".join(USERS)) + gzip.compress(b"")),
    "no documents": lambda it: with_part(it, gzip.compress(bytes(sum(map(len, USERS))))),
    "documents of negative length": lambda it: with_part(it, gzip.compress(b"\xff" * sum(map(len, USERS)))),
}


def wrong_count(decoded: dict[str, Any]) -> None:
    decoded["parts"][0]["documents"] = 2
    decoded["collections"]["users"] = 2


@pytest.mark.parametrize("kind", MADE_UP)
async def test_an_archive_that_was_made_up_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "made-up.tar"
    pack(path, regular(MADE_UP[kind](members_of(write(tmp_path / "whole.tar")))))
    assert "is damaged" in await refusal(path)
    assert names_in(tmp_path) == ["made-up.tar", "whole.tar"]


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
async def test_a_member_that_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    members = regular(members_of(write(tmp_path / "whole.tar")))
    link = tarfile.TarInfo("users/000001.bson.gz")
    link.type, link.linkname = kind, "../secret"
    pack(tmp_path / "links.tar", [members[0], (link, b""), *members[2:]])
    await refusal(tmp_path / "links.tar")


async def test_what_stands_behind_the_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "backup.tar")
    path.write_bytes(path.read_bytes() + b"more")
    await refusal(path)


@pytest.mark.parametrize("change", [{"schema_version": SCHEMA_VERSION + 1}, {"format_version": 2, "parts": "other"}])
async def test_a_newer_backup_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    members = with_manifest(members_of(write(tmp_path / "whole.tar")), lambda it: it.update(change))
    pack(tmp_path / "newer.tar", regular(members))
    assert "newer chat-mvp" in await refusal(tmp_path / "newer.tar")


async def test_an_older_backup_is_taken(tmp_path: Path) -> None:
    members = with_manifest(members_of(write(tmp_path / "whole.tar")), lambda it: it.update(schema_version=1))
    pack(tmp_path / "older.tar", regular(members))
    assert (await read(tmp_path / "older.tar"))["users"] == USERS
