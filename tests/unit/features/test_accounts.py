from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from msgspec import structs

from chat_mvp.errors import (
    EmailTakenError,
    ForbiddenError,
    RateLimitedError,
    TokenExpiredError,
    UnauthenticatedError,
    UsernameTakenError,
    ValidationError,
)
from chat_mvp.events.types import SessionEnded
from chat_mvp.features.accounts.service import REFRESH_GRACE, AccountService, Device, Registration, Session
from chat_mvp.limits import MAX_SESSIONS_PER_ACCOUNT
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.devices import DeviceMarks
from chat_mvp.security.guessing import SignInGuard
from chat_mvp.security.keys import SigningKey
from chat_mvp.security.password_strength import PasswordStrength
from chat_mvp.security.passwords import Passwords
from chat_mvp.security.refresh import RefreshTokens, hash_token
from chat_mvp.security.tokens import Tokens
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.documents import AuthSessionDocument, UserDocument
from chat_mvp.storage.users import Users
from chat_mvp.times import utc_now
from tests.unit.features.conftest import MemoryRecorder

OLD, NEW = SigningKey("old", b"o" * 64), SigningKey("new", b"n" * 64)
DEVICE = Device(name="a phone", address="192.0.2.1")
PASSWORD = "correct horse battery"


class House:
    """An account service with everything around it, as one process of the server has it."""

    def __init__(
        self,
        users: Users,
        passwords: Passwords,
        strength: PasswordStrength,
        recorder: MemoryRecorder,
        *keys: SigningKey,
        registration: Registration = "open",
    ) -> None:
        self.ended: list[str] = []
        self.tokens = Tokens(keys, lifetime_s=900)
        sessions = AuthSessions()
        self.authenticator = Authenticator(self.tokens, sessions.fetch_owner)
        self.service = AccountService(
            users=users,
            auth_sessions=sessions,
            passwords=passwords,
            strength=strength,
            tokens=self.tokens,
            refresh_tokens=RefreshTokens(keys),
            registration=registration,
            session_lifetime_s=3600,
            recorder=recorder,
            guard=SignInGuard(),
            device_marks=DeviceMarks(keys),
        )
        recorder.local_events.on(SessionEnded, lambda event: self.authenticator.end_session(event.session_id))
        recorder.local_events.on(SessionEnded, lambda event: self.ended.append(event.session_id))

    async def register(self, username: str = "Ann", **fields: str) -> Session:
        body = {"email": f"{username}@example.org", "password": PASSWORD, "display_name": ""} | fields
        return await self.service.register(username=username, device=DEVICE, **body)

    def session_id(self, session: Session) -> str:
        return self.tokens.verify(session.access_token).sid

    async def signed_in(self, session: Session) -> bool:
        try:
            await self.authenticator.authenticate(session.access_token)
        except UnauthenticatedError:
            return False
        return True


NewHouse = Callable[..., House]


@pytest.fixture
def house(users: Users, passwords: Passwords, strength: PasswordStrength, recorder: MemoryRecorder) -> House:
    return House(users, passwords, strength, recorder, NEW)


@pytest.fixture
def new_house(users: Users, passwords: Passwords, strength: PasswordStrength, recorder: MemoryRecorder) -> NewHouse:
    return lambda *keys, **options: House(users, passwords, strength, recorder, *keys, **options)


async def spent_ago(seconds: float) -> None:
    """Let time pass since the latest exchange."""
    moment = utc_now() - timedelta(seconds=seconds)
    await AuthSessionDocument.find_all().update({"$set": {"spent_at": moment}})


def pair(session: Session) -> tuple[str, str]:
    return session.access_token, session.refresh_token


@pytest.mark.parametrize("registration", ["closed", "invite"])
async def test_a_closed_house(new_house: NewHouse, registration: Registration) -> None:
    with pytest.raises(ForbiddenError):
        await new_house(NEW, registration=registration).register()
    assert await UserDocument.count() == 0


async def test_every_field_that_will_not_do_is_named_and_nothing_kept(house: House) -> None:
    for display_name in ("x" * 101, "two\nlines", "\u202egnp", "\u200b"):
        with pytest.raises(ValidationError) as caught:
            await house.register("a!", email="nowhere", password="1234567890", display_name=display_name)
        assert caught.value.fields.keys() == {"username", "email", "password", "display_name"}
        assert "1234567890" not in caught.value.detail
    assert await UserDocument.count() == await AuthSessionDocument.count() == 0


async def test_names_are_taken_in_any_capitals(house: House) -> None:
    await house.register("Ann")
    with pytest.raises(UsernameTakenError):
        await house.register("aNN", email="other@example.org")
    with pytest.raises(EmailTakenError):
        await house.register("Other", email="ANN@example.ORG")
    assert await UserDocument.count() == await AuthSessionDocument.count() == 1


async def test_no_secret_is_stored(house: House) -> None:
    session = await house.register()
    again = await house.service.refresh(session.refresh_token, address=DEVICE.address)
    stored = repr(await AuthSessionDocument.find_all().to_list()) + repr(await UserDocument.find_all().to_list())
    for secret in (PASSWORD, *pair(session), *pair(again)):
        assert secret not in stored
    assert hash_token(again.refresh_token) in stored


async def test_a_hash_of_another_cost_is_made_anew_at_sign_in(house: House) -> None:
    await house.register()
    weak = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    await UserDocument.find_all().update({"$set": {"password_hash": weak}})
    with pytest.raises(UnauthenticatedError):
        await house.service.login(login="ann", password="wrong password", device=DEVICE)
    document = await UserDocument.find_one()
    assert document is not None
    assert document.password_hash == weak
    await house.service.login(login="ann", password=PASSWORD, device=DEVICE)
    document = await UserDocument.find_one()
    assert document is not None
    assert document.password_hash != weak
    assert (await house.service.login(login="ann", password=PASSWORD, device=DEVICE)).user.username == "Ann"


async def test_a_password_signs_in_however_a_system_writes_it(house: House) -> None:
    composed, decomposed = "caf\u00e9 horse battery", "cafe\u0301 horse\u00a0battery"
    await house.register("Ann", password=decomposed)
    for password in (composed, decomposed):
        await house.service.login(login="ann", password=password, device=DEVICE)


async def test_a_password_stored_as_it_was_typed_signs_in_everywhere_after_one_sign_in(house: House) -> None:
    composed, decomposed = "caf\u00e9 horse battery", "cafe\u0301 horse battery"
    await house.register()
    as_typed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(decomposed)
    await UserDocument.find_all().update({"$set": {"password_hash": as_typed}})
    with pytest.raises(UnauthenticatedError):
        await house.service.login(login="ann", password=composed, device=DEVICE)
    for password in (decomposed, composed):
        await house.service.login(login="ann", password=password, device=DEVICE)


async def test_a_short_password_is_not_longer_with_its_accents_apart(house: House) -> None:
    for password in ("\u00fc\u00e9\u00e0\u00f4\u00f1", "u\u0308e\u0301a\u0300o\u0302n\u0303"):
        with pytest.raises(ValidationError) as caught:
            await house.register(password=password)
        assert caught.value.fields == {"password": "must have 10 to 256 characters"}


async def test_an_answer_that_was_lost_is_given_again_after_a_restart(house: House, new_house: NewHouse) -> None:
    first = await house.register()
    answered = await house.service.refresh(first.refresh_token, address=DEVICE.address)
    assert pair(await new_house(NEW).service.refresh(first.refresh_token, address=DEVICE.address)) == pair(answered)


async def test_an_answer_that_was_lost_is_given_again_after_a_rotation_of_keys(new_house: NewHouse) -> None:
    before, after = new_house(OLD), new_house(NEW, OLD)
    first = await before.register()
    answered = await before.service.refresh(first.refresh_token, address=DEVICE.address)
    again = await after.service.refresh(first.refresh_token, address=DEVICE.address)
    assert again.refresh_token == answered.refresh_token
    assert await after.signed_in(again)
    assert await after.signed_in(await after.service.refresh(again.refresh_token, address=DEVICE.address))


async def test_a_session_survives_a_removed_key(new_house: NewHouse) -> None:
    first = await new_house(OLD).register()
    house = new_house(NEW)
    assert not await house.signed_in(first)
    assert await house.signed_in(await house.service.refresh(first.refresh_token, address=DEVICE.address))


async def test_the_grace_ends(house: House) -> None:
    first = await house.register()
    second = await house.service.refresh(first.refresh_token, address=DEVICE.address)
    await spent_ago(REFRESH_GRACE.total_seconds() - 1)
    await house.service.refresh(first.refresh_token, address=DEVICE.address)
    await spent_ago(REFRESH_GRACE.total_seconds() + 1)
    with pytest.raises(UnauthenticatedError):
        await house.service.refresh(first.refresh_token, address=DEVICE.address)
    assert house.ended == [house.session_id(second)]
    assert not await house.signed_in(second)
    with pytest.raises(UnauthenticatedError):
        await house.service.refresh(second.refresh_token, address=DEVICE.address)


async def test_an_old_token_ends_its_session_however_old_it_is(house: House) -> None:
    session = first = await house.register()
    for _ in range(5):
        session = await house.service.refresh(session.refresh_token, address=DEVICE.address)
    assert house.ended == []
    with pytest.raises(UnauthenticatedError):
        await house.service.refresh(first.refresh_token, address=DEVICE.address)
    assert house.ended == [house.session_id(session)]
    assert await AuthSessionDocument.count() == 0


async def test_an_invention_ends_nothing(house: House) -> None:
    session = await house.register()
    invented = RefreshTokens([OLD]).first(house.session_id(session))
    for token in (invented, session.refresh_token[:-1] + "!", session.access_token, "", "é"):
        with pytest.raises(UnauthenticatedError):
            await house.service.refresh(token, address=DEVICE.address)
    assert house.ended == []
    assert await house.signed_in(await house.service.refresh(session.refresh_token, address=DEVICE.address))


async def test_a_refresh_makes_the_session_last_and_an_expired_one_is_over(house: House) -> None:
    session = await house.register()
    before = (await AuthSessionDocument.find_all().to_list())[0].expires_at
    session = await house.service.refresh(session.refresh_token, address=DEVICE.address)
    assert (await AuthSessionDocument.find_all().to_list())[0].expires_at >= before
    await AuthSessionDocument.find_all().update({"$set": {"expires_at": utc_now() - timedelta(seconds=1)}})
    assert not await house.signed_in(session)
    with pytest.raises(UnauthenticatedError):
        await house.service.refresh(session.refresh_token, address=DEVICE.address)


async def test_signing_out_here_and_everywhere(house: House, recorder: MemoryRecorder) -> None:
    sessions = [await house.register()]
    sessions += [await house.service.login(login="ann", password=PASSWORD, device=DEVICE) for _ in range(2)]
    stranger = await house.register("Bob")
    callers = [await house.authenticator.authenticate(session.access_token) for session in sessions]

    await house.service.logout(callers[0])
    assert [await house.signed_in(session) for session in sessions] == [False, True, True]
    await house.service.logout_all(callers[1])
    assert [await house.signed_in(session) for session in sessions] == [False, False, False]
    assert sorted(house.ended) == sorted(caller.session_id for caller in callers)
    assert await house.signed_in(stranger)
    assert len(recorder.recorded) == len(sessions)
    await house.service.logout(callers[0])
    assert house.ended[-1] == callers[0].session_id, "what ended elsewhere ends here too"
    assert len(recorder.recorded) == len(sessions), "but is not stored again"


async def test_the_session_of_a_deleted_user(house: House) -> None:
    session = await house.register()
    await UserDocument.find_all().delete()
    with pytest.raises(UnauthenticatedError):
        await house.service.refresh(session.refresh_token, address=DEVICE.address)
    assert len(house.ended) == 1


async def test_an_access_token_ends_before_its_session(house: House) -> None:
    session = await house.register()
    claims = house.tokens.verify(session.access_token)
    past = house.tokens.issue(
        user_id=claims.sub, session_id=claims.sid, token_id="x", at=utc_now() - timedelta(hours=1)
    )
    with pytest.raises(TokenExpiredError):
        await house.authenticator.authenticate(past.text)
    assert 895 <= session.expires_in <= 900


async def test_of_too_many_devices_the_one_used_longest_ago_is_signed_out(house: House) -> None:
    first = await house.register()
    sessions = [
        await house.service.login(login="Ann", password=PASSWORD, device=DEVICE)
        for _ in range(MAX_SESSIONS_PER_ACCOUNT)
    ]
    assert house.ended == [house.session_id(first)]
    assert not await house.signed_in(first)
    assert await house.signed_in(sessions[0])


async def guesses(house: House, device: Device) -> int:
    """Guess Ann's password on this device 20 times; return how many of the guesses were checked."""
    checked = 0
    for _ in range(20):
        with suppress(RateLimitedError):
            try:
                await house.service.login(login="Ann", password="a wrong guess", device=device)
            except UnauthenticatedError:
                checked += 1
    return checked


async def test_a_device_that_signed_in_before_is_not_kept_out_by_others_at_its_address(house: House) -> None:
    ann = (await house.register()).user.id
    marked = structs.replace(DEVICE, mark=house.service.new_device_mark(DEVICE, ann))
    assert await guesses(house, DEVICE) == 10
    with pytest.raises(RateLimitedError):
        await house.service.login(login="Ann", password=PASSWORD, device=DEVICE)
    await house.service.login(login="Ann", password=PASSWORD, device=marked)
    await house.service.login(login="ann@example.org", password=PASSWORD, device=marked)
    assert await guesses(house, marked) == 10


async def test_the_mark_of_another_account_is_good_for_nothing(house: House) -> None:
    await house.register()
    eve = (await house.register("Eve")).user.id
    assert await guesses(house, structs.replace(DEVICE, mark=house.service.new_device_mark(DEVICE, eve))) == 10
    assert await guesses(house, structs.replace(DEVICE, mark=house.service.new_device_mark(DEVICE, eve))) == 0


async def test_a_device_gets_one_mark_for_an_account(house: House) -> None:
    ann, eve = [(await house.register(name)).user.id for name in ("Ann", "Eve")]
    marked = structs.replace(DEVICE, mark=house.service.new_device_mark(DEVICE, ann))
    assert house.service.new_device_mark(marked, ann) is None
    assert house.service.new_device_mark(marked, eve) is not None


async def test_no_address_of_a_new_account_is_verified(house: House) -> None:
    for username, email in (("ann", "ann@example.org"), ("bob", "BOB@example.org"), ("eve", "root@localhost")):
        await house.register(username, email=email)
    documents = await UserDocument.find_all().to_list()
    assert [document.email_verified for document in documents] == [False] * 3
