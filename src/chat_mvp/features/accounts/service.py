"""Accounts and their sessions: who may register, and how long a session lasts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from chat_mvp.addresses import address_group
from chat_mvp.clock import Now
from chat_mvp.errors import ForbiddenError, NotFoundError, UnauthenticatedError, UnavailableError
from chat_mvp.events.types import SessionEnded
from chat_mvp.features.accounts.rules import account_complaints, raise_complaints
from chat_mvp.limits import MAX_SESSIONS_PER_ACCOUNT
from chat_mvp.ops.disk import CheckRoom
from chat_mvp.protocol import User
from chat_mvp.security.authentication import Caller
from chat_mvp.security.devices import DeviceMarks
from chat_mvp.security.guessing import RANK_FAMILIAR, RANK_FRESH, SignInGuard
from chat_mvp.security.password_strength import PasswordStrength
from chat_mvp.security.passwords import Passwords, Verdict, normal_form
from chat_mvp.security.refresh import RefreshTokens, hash_token
from chat_mvp.security.tokens import Tokens
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.directory import public_user
from chat_mvp.storage.folding import fold_name
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.recorded import RecordedTransaction, Recorder
from chat_mvp.storage.records import AuthSessionRecord, UserRecord
from chat_mvp.storage.users import UserChanges, Users
from chat_mvp.times import utc_now

REFRESH_GRACE = timedelta(seconds=10)
"""How long the latest spent token still gets the same answer: answers get lost, and two tabs may refresh at once."""

Registration = Literal["open", "invite", "closed"]


class Device(msgspec.Struct, frozen=True):
    """The device that signs in. ``mark`` is the device mark that an earlier sign-in stored there."""

    name: str
    address: str
    mark: str | None = None


class Session(msgspec.Struct, frozen=True):
    """The tokens of a signed-in user. ``expires_in`` is the number of seconds until the access token expires."""

    user: User
    access_token: str
    refresh_token: str
    expires_in: int


class AccountService:
    """Registers users, signs them in, renews their tokens and signs them out."""

    def __init__(
        self,
        *,
        users: Users,
        auth_sessions: AuthSessions,
        passwords: Passwords,
        strength: PasswordStrength,
        tokens: Tokens,
        refresh_tokens: RefreshTokens,
        registration: Registration,
        session_lifetime_s: float,
        recorder: Recorder,
        guard: SignInGuard,
        device_marks: DeviceMarks,
        clock: Now = utc_now,
        check_room: CheckRoom = lambda: None,
    ) -> None:
        """Store the end of sessions through ``recorder``."""
        self._users = users
        self._auth_sessions = auth_sessions
        self._passwords = passwords
        self._strength = strength
        self._tokens = tokens
        self._refresh_tokens = refresh_tokens
        self._registration = registration
        self._session_lifetime = timedelta(seconds=session_lifetime_s)
        self._recorder = recorder
        self._guard = guard
        self._check_room = check_room
        self._clock = clock
        self._device_marks = device_marks

    @property
    def session_lifetime(self) -> timedelta:
        """Return how long a device stays signed in without use."""
        return self._session_lifetime

    async def register(self, *, username: str, email: str, password: str, display_name: str, device: Device) -> Session:
        """Create an account and sign it in.

        ``ForbiddenError`` while registration is not open, ``ValidationError`` that names every invalid field,
        ``UsernameTakenError`` or ``EmailTakenError`` when the name or address is taken. After an error nothing is
        stored.
        """
        self._check_room()
        self._check_registration()
        address = address_group(device.address)
        complaints = account_complaints(username, email, password, display_name)
        if "password" not in complaints:
            weakness = await self._strength.complaint(normal_form(password), (username, display_name, email))
            complaints |= {} if weakness is None else {"password": weakness}
        raise_complaints(complaints)
        record = UserRecord(
            id=new_id(),
            username=username,
            email=email,
            email_verified=False,
            password_hash=await self._passwords.hash(password, key=address, rank=RANK_FRESH),
            display_name=display_name if display_name.strip() else username,
            avatar_url=None,
            bio="",
            status_text="",
            role="member",
            profile_json="{}",
            settings_json="{}",
            presence="online",
            last_seen=None,
            created_at=self._clock(),
        )
        await self._users.insert(record)
        self._remember(record, address)
        return await self._begin_session(record, device)

    async def login(self, *, login: str, password: str, device: Device) -> Session:
        """Sign in by username or e-mail address.

        ``UnauthenticatedError`` when there is no such account or the password is wrong. Text and time are the same in
        both cases. ``RateLimitedError``, before anything is checked, after too many wrong attempts.
        """
        address = address_group(device.address)
        record = await self._users.fetch_by_login(login)
        account_id, stored = (None, None) if record is None else (record.id, record.password_hash)
        known = self._known_device(account_id, device.mark)
        attempt = self._guard.admit(fold_name(login), address, account_id=account_id, device=known)
        try:
            verdict = await self._passwords.verify(stored, password, key=attempt.key, rank=attempt.rank)
        except UnavailableError:
            self._guard.undo(attempt)
            raise
        if record is None or not verdict:
            self._guard.failed(attempt, reason="no such account" if record is None else "wrong password")
            raise UnauthenticatedError("The username, e-mail address or password is wrong.")
        self._guard.succeeded(attempt)
        self._remember(record, address)
        if verdict is Verdict.OUTDATED:
            fresh = await self._passwords.hash(password, key=attempt.key, rank=RANK_FAMILIAR)
            record = await self._users.update(record.id, UserChanges(password_hash=fresh))
        return await self._begin_session(record, device)

    def new_device_mark(self, device: Device, user_id: str) -> str | None:
        """Return the mark to store on a device that has signed in. ``None`` if it already has one."""
        mark = self._device_marks.read(device.mark)
        return None if mark is not None and mark.user_id == user_id else self._device_marks.issue(user_id)

    def _known_device(self, account_id: str | None, mark: str | None) -> str | None:
        device = self._device_marks.read(mark)
        return device.number if device is not None and device.user_id == account_id else None

    async def refresh(self, token: str, *, address: str) -> Session:
        """Exchange a refresh token for a new pair. The token is spent.

        A spent token ends its session and is refused. Exception: within ``REFRESH_GRACE``, the latest spent token gives
        the same pair again while that pair's refresh token is unused. ``UnauthenticatedError`` for every other token.
        """
        now = self._clock()
        successor = next(self._refresh_tokens.successors(token), None)
        if successor is None:
            raise _refused()
        session = await self._auth_sessions.rotate(
            hash_token(token),
            successor_hash=hash_token(successor),
            at=now,
            expires_at=now + self._session_lifetime,
        )
        if session is None:
            return await self._answer_again(token)
        return await self._answer(session, successor, address)

    async def logout(self, caller: Caller) -> None:
        """End the caller's session."""
        await self._end_sessions(caller.user_id, [caller.session_id])

    async def logout_all(self, caller: Caller) -> None:
        """End every session of the caller."""
        await self._end_sessions(caller.user_id, await self._auth_sessions.fetch_ids(caller.user_id))

    def _check_registration(self) -> None:
        if self._registration == "closed":
            raise ForbiddenError("Registration is closed on this server.")
        if self._registration == "invite":
            raise ForbiddenError("Registration on this server requires an invitation.")

    async def _begin_session(self, record: UserRecord, device: Device) -> Session:
        session_id, now = new_id(), self._clock()
        refresh_token = self._refresh_tokens.first(session_id)
        session = AuthSessionRecord(
            id=session_id,
            user_id=record.id,
            device_name=device.name,
            address=device.address,
            token_hash=hash_token(refresh_token),
            spent_hash=None,
            spent_at=None,
            created_at=now,
            last_used_at=now,
            expires_at=now + self._session_lifetime,
        )
        await self._auth_sessions.insert(session)
        surplus = await self._auth_sessions.fetch_ids_beyond(record.id, MAX_SESSIONS_PER_ACCOUNT)
        if surplus:
            await self._end_sessions(record.id, surplus)
        return self._session(session, refresh_token, record)

    async def _answer_again(self, token: str) -> Session:
        """Return the pair for which this spent token was exchanged, or end the session of this old token."""
        session = await self._auth_sessions.fetch_by_spent(hash_token(token))
        if session is not None and session.spent_at is not None and self._clock() - session.spent_at <= REFRESH_GRACE:
            for successor in self._refresh_tokens.successors(token):
                if hash_token(successor) == session.token_hash:
                    return await self._answer(session, successor)
        if session is not None:
            await self._end_sessions(session.user_id, [session.id])
        elif (reused := self._refresh_tokens.session_of(token)) is not None:
            owner = await self._auth_sessions.fetch_owner(reused)
            if owner is not None:
                await self._end_sessions(owner, [reused])
        raise _refused()

    async def _answer(self, session: AuthSessionRecord, refresh_token: str, address: str | None = None) -> Session:
        try:
            record = await self._users.fetch(session.user_id)
        except NotFoundError:
            await self._end_sessions(session.user_id, [session.id])
            raise _refused() from None
        if address is not None:
            self._remember(record, address)
        return self._session(session, refresh_token, record)

    def _remember(self, record: UserRecord, address: str) -> None:
        self._guard.remember(address, fold_name(record.username), fold_name(record.email))

    def _session(self, session: AuthSessionRecord, refresh_token: str, record: UserRecord) -> Session:
        # Counted from the exchange, not from now, so that the same request gets the same token.
        access = self._tokens.issue(
            user_id=session.user_id,
            session_id=session.id,
            token_id=self._refresh_tokens.access_token_id(refresh_token),
            at=session.spent_at or session.created_at,
        )
        return Session(
            user=public_user(record),
            access_token=access.text,
            refresh_token=refresh_token,
            expires_in=max(0, int(access.expires_at - self._clock().timestamp())),
        )

    async def _end_sessions(self, user_id: str, session_ids: Sequence[str]) -> None:
        async def write(transaction: RecordedTransaction) -> None:
            ended = await self._auth_sessions.delete(transaction, session_ids)
            for session_id in session_ids:
                event = SessionEnded(session_id=session_id, user_id=user_id)
                if session_id in ended:
                    transaction.record(event)
                else:
                    transaction.confirm(event)

        await self._recorder.record(f"sessions {user_id}", write)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token is invalid or expired. Sign in again.")
