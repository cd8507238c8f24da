import asyncio

import msgspec
import pytest
from structlog.testing import capture_logs

from chat_mvp.errors import DamagedError, NotFoundError, ValidationError
from chat_mvp.events.types import ProfileChanged
from chat_mvp.features.users.schemas import ProfilePatch
from chat_mvp.features.users.service import UserService
from chat_mvp.http.bodies import decode_body
from chat_mvp.limits import MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.documents import UserDocument
from chat_mvp.storage.folding import fold_text, name_words
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.users import Users
from tests.unit.features.conftest import MemoryRecorder, make_user, new_costly_work


class Told:
    def __init__(self) -> None:
        self.statuses: list[tuple[str, str]] = []

    def status(self, user_id: str, text: str) -> None:
        self.statuses.append((user_id, text))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def directory(users: Users) -> UserDirectory:
    return UserDirectory(users)


@pytest.fixture
def service(users: Users, directory: UserDirectory, told: Told, recorder: MemoryRecorder) -> UserService:
    return UserService(
        users=users,
        directory=directory,
        recorder=recorder,
        on_status_changed=told.status,
        changing_status=lambda _: asyncio.Lock(),
        costly_work=new_costly_work(),
    )


async def found(service: UserService, query: str) -> set[str]:
    items, _ = await service.search("caller", query, after=None, limit=50)
    return {user.username for user in items}


async def test_a_change_shows_at_once_and_is_published(
    service: UserService, users: Users, directory: UserDirectory, told: Told, recorder: MemoryRecorder
) -> None:
    ann = await make_user(users, "ann")
    recorder.local_events.on(ProfileChanged, lambda event: directory.forget(event.user.id))
    assert (await directory.fetch_users([ann]))[ann].display_name == "ann"
    own = await service.change(ann, ProfilePatch(display_name="Änn", status_text="here"))
    assert (own.display_name, own.status_text) == ("Änn", "here")
    assert (await directory.fetch_users([ann]))[ann].display_name == "Änn"
    assert told.statuses == [(ann, "here")]
    await service.change(ann, ProfilePatch(bio="mine"))
    assert len(told.statuses) == 1
    assert (await service.fetch_own(ann)).display_name == "Änn"


async def test_only_what_others_see_is_recorded(service: UserService, users: Users, recorder: MemoryRecorder) -> None:
    ann = await make_user(users, "ann")
    for patch in (
        ProfilePatch(status_text="here"),
        ProfilePatch(settings=raw({"a": 1})),
        ProfilePatch(display_name="ann", bio=""),
        ProfilePatch(),
    ):
        await service.change(ann, patch)
    assert recorder.applied == []
    await service.change(ann, ProfilePatch(display_name="Ann", bio="mine", status_text="there"))
    assert recorder.applied == recorder.recorded == [ProfileChanged(user=await service.fetch_by_username("ann"))]


@pytest.mark.parametrize("empty", ["", "  ", "\t\n"])
async def test_an_empty_display_name_gives_way_to_the_username(service: UserService, users: Users, empty: str) -> None:
    ann = await make_user(users, "ann", "Ann Example")
    assert (await service.change(ann, ProfilePatch(display_name=empty))).display_name == "ann"
    assert await found(service, "example") == set()


async def test_every_field_that_will_not_do_is_named_and_nothing_changed(service: UserService, users: Users) -> None:
    ann = await make_user(users, "ann")
    before = await service.fetch_own(ann)
    patch = ProfilePatch(display_name="a\nb", bio="\x1b", status_text="\u202e", settings=raw({"a": "x" * 20_000}))
    with pytest.raises(ValidationError) as caught:
        await service.change(ann, patch)
    assert caught.value.fields.keys() == {"display_name", "bio", "status_text", "settings"}
    assert await service.fetch_own(ann) == before


async def test_objects_come_back_as_they_were(service: UserService, users: Users) -> None:
    ann = await make_user(users, "ann")
    odd = {"$set": {"a.b": [1, -2.5, None, True, "\u2028"]}, "": "", "_id": 5, "2**64-1": 2**64 - 1, "ünï": "😀"}
    own = await service.change(ann, ProfilePatch(settings=raw(odd), profile=raw({"about": "me"})))
    assert own.settings == odd
    assert (await service.fetch_own(ann)).settings == odd
    document = await UserDocument.find_one()
    assert document is not None
    assert isinstance(document.settings_json, str)


def raw(value: dict[str, object]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


async def test_objects_at_their_limits(service: UserService, users: Users) -> None:
    ann = await make_user(users, "ann")
    fits = {"a": "x" * (MAX_OBJECT_BYTES - len('{"a":""}'))}
    for good in (fits, nested(MAX_OBJECT_DEPTH)):
        assert (await service.change(ann, ProfilePatch(profile=raw(good)))).profile == good
    for bad in ({"a": "ä" * (MAX_OBJECT_BYTES // 2)}, nested(MAX_OBJECT_DEPTH + 1), {"a": [nested(MAX_OBJECT_DEPTH)]}):
        with pytest.raises(ValidationError):
            await service.change(ann, ProfilePatch(profile=raw(bad)))


async def test_numbers_of_any_size(service: UserService, users: Users) -> None:
    ann = await make_user(users, "ann")
    large = {"n": [10**400, -(10**30), 2**64, 1e300]}
    assert (await service.change(ann, ProfilePatch(profile=raw(large)))).profile == large
    assert (await service.fetch_own(ann)).profile == large
    for number in (b"1e400", b"9" * 5_000):
        patch = decode_body(b'{"profile": {"n": ' + number + b"}}", ProfilePatch)
        with pytest.raises(ValidationError) as caught:
            await service.change(ann, patch)
        assert caught.value.fields == {"profile": "has a number that is too large"}


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        (b"null", "must be an object, not null"),
        (b"[]", "must be an object, not a list"),
        (b'{"a": "\xff"}', "is not valid JSON in UTF-8"),
        (b'{"a": "\\u0000"}', "must not have NUL characters or halves of surrogate pairs"),
        (b'{"\\u0000": 1}', "must not have NUL characters or halves of surrogate pairs"),
        (
            b'{"a":' * 200 + b"1" + b"}" * 200,
            f"must have at most {MAX_OBJECT_BYTES} bytes and {MAX_OBJECT_DEPTH} levels",
        ),
    ],
)
async def test_objects_that_are_none(service: UserService, users: Users, sent: bytes, detail: str) -> None:
    ann = await make_user(users, "ann")
    for field in ("profile", "settings"):
        patch = decode_body(b'{"' + field.encode() + b'": ' + sent + b"}", ProfilePatch)
        with pytest.raises(ValidationError) as caught:
            await service.change(ann, patch)
        assert caught.value.fields == {field: detail}


async def test_finding_ignores_case_accents_and_forms(service: UserService, users: Users) -> None:
    await make_user(users, "Jose_M", "José María Ñandú")
    await make_user(users, "jl", "Jean-Luc Straße")
    await make_user(users, "sigma", "ΟΔΥΣΣΕΥΣ ﬁnn")
    for query in ("jose", "JOSÉ", "jose_", "maria", "mari\u0301a", "nandu jos", "ñAN"):
        assert await found(service, query) == {"Jose_M"}, query
    for query in ("jean", "luc", "jean-l", "STRASSE", "straße", "jl"):
        assert await found(service, query) == {"jl"}, query
    for query in ("οδυσσευς", "Οδυ", "finn", "FI"):
        assert await found(service, query) == {"sigma"}, query
    for query in ("ose", "aria", "", "  ", "\u0301", "jose luc", ".*", "$ne", "^j", "uc"):
        assert await found(service, query) == set(), query


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("Iş\u0131k", ("\u0131ş\u0131k", "IŞIK", "isik", "işik", "Isik")),
        ("Łódź", ("lodz", "Łódź", "ŁÓDŹ", "łodz", "lódz")),
        ("Søren", ("soren", "søren", "SØREN", "sören")),
        ("Soren", ("søren", "SØR")),
        ("Þórður", ("thordur", "þor", "ÞÓRÐUR")),
    ],
)
async def test_finding_ignores_letters_that_a_keyboard_lacks(
    service: UserService, users: Users, name: str, queries: tuple[str, ...]
) -> None:
    await make_user(users, "someone", f"A {name}")
    for query in queries:
        assert await found(service, query) == {"someone"}, query


async def test_pages_follow_each_other_in_the_order_of_names(service: UserService, users: Users) -> None:
    names = [f"page{number:02d}" for number in (3, 1, 4, 2, 5)]
    for name in names:
        await make_user(users, name)
    seen: list[str] = []
    after: str | None = None
    for _ in range(3):
        items, after = await service.search("caller", "PAGE", after=after, limit=2)
        seen += [user.username for user in items]
    assert seen == sorted(names)
    assert after is None
    assert (await service.search("caller", "page", after=None, limit=5))[1] is None


async def test_people_by_id_and_by_name(service: UserService, users: Users) -> None:
    ann = await make_user(users, "Ann")
    assert await service.fetch(ann) == await service.fetch_by_username("aNN")
    with pytest.raises(NotFoundError):
        await service.fetch(new_id())
    with pytest.raises(NotFoundError):
        await service.fetch_by_username("nobody")
    with pytest.raises(NotFoundError):
        await service.change(new_id(), ProfilePatch(bio="x"))


async def test_the_directory_returns_existing_users(users: Users, directory: UserDirectory) -> None:
    ann, bob = await make_user(users, "ann"), await make_user(users, "bob")
    assert (await directory.fetch_users([ann, bob, ann, new_id()])).keys() == {ann, bob}
    await UserDocument.find_all().delete()
    assert (await directory.fetch_users([ann])).keys() == {ann}, "kept in memory"
    directory.forget(ann)
    assert await directory.fetch_users([ann]) == {}
    assert await directory.fetch_users([]) == {}


@pytest.mark.parametrize("text", ["Straße", "ΟΔΥΣΣΕΥΣ", "ﬁnn", "İstanbul", "Å", "한국어", "e\u0301\u0323", "Ⅻ"])
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_text(fold_text(text)) == fold_text(text) == fold_text(text.upper())


def test_words_of_a_name() -> None:
    assert name_words("Ann", "Ann  Marie O'Neil-Smith") == ["ann", "marie", "o'neil-smith", "o", "neil", "smith"]


@pytest.mark.parametrize(
    ("field", "value"), [("bio", 5), ("created_at", "yesterday"), ("display_name", None), ("presence", "asleep")]
)
async def test_a_damaged_account_does_not_affect_others(
    service: UserService, users: Users, directory: UserDirectory, field: str, value: object
) -> None:
    ann, bob = [await make_user(users, f"same_{name}") for name in ("ann", "bob")]
    await UserDocument.get_motor_collection().update_one({"username": "same_ann"}, {"$set": {field: value}})
    for refused in (
        service.fetch_own(ann),
        service.change(ann, ProfilePatch(bio="mine")),
        service.change(ann, ProfilePatch(status_text="here")),
        service.fetch_by_username("same_ann"),
        users.fetch_by_login("same_ann@example.org"),
    ):
        with capture_logs() as lines, pytest.raises(DamagedError):
            await refused
        assert [(line["event"], line["user_id"]) for line in lines] == [("account damaged", ann)]
        assert field in lines[0]["reason"]
    assert await found(service, "same") == {"same_bob"}
    assert (await directory.fetch_users([ann, bob])).keys() == {bob}
    assert (await service.change(bob, ProfilePatch(bio="mine"))).bio == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]"])
async def test_damaged_settings(service: UserService, users: Users, text: str) -> None:
    ann = await make_user(users, "ann")
    await UserDocument.get_motor_collection().update_one({}, {"$set": {"settings_json": text}})
    with pytest.raises(DamagedError):
        await service.fetch_own(ann)
    assert (await service.fetch(ann)).username == "ann"
