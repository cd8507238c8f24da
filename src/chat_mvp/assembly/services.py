"""The services of the features, connected with each other where one must hear of what another did."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import prometheus_client

from chat_mvp.assembly.engine import Engine
from chat_mvp.assembly.foundation import Foundation
from chat_mvp.assembly.reactions import react
from chat_mvp.features.accounts.service import AccountService
from chat_mvp.features.contacts.service import ContactService
from chat_mvp.features.conversations.service import ConversationService
from chat_mvp.features.conversations.strangers import Strangers
from chat_mvp.features.messages.confirmations import Confirmations
from chat_mvp.features.messages.history import MessageHistory
from chat_mvp.features.messages.marks import WithheldMarks
from chat_mvp.features.messages.service import MessageService
from chat_mvp.features.messages.sync import MessageSync
from chat_mvp.features.presence.service import PresenceService
from chat_mvp.features.users.service import UserService
from chat_mvp.ops.metrics import count_sign_ins
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.devices import DeviceMarks
from chat_mvp.security.guessing import SignInGuard
from chat_mvp.security.keys import load_signing_keys
from chat_mvp.security.password_strength import PasswordStrength
from chat_mvp.security.passwords import Passwords
from chat_mvp.security.refresh import RefreshTokens
from chat_mvp.security.tokens import Tokens
from chat_mvp.settings import Settings

_SECONDS_A_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Services:
    """The services, by the names under which routes ask for them, and what only accounts have."""

    accounts: AccountService
    users: UserService
    contacts: ContactService
    conversation_service: ConversationService
    message_service: MessageService
    confirmations: Confirmations
    message_history: MessageHistory
    message_sync: MessageSync
    presence_service: PresenceService
    authenticator: Authenticator
    passwords: Passwords
    strength: PasswordStrength

    def by_parameter(self) -> dict[str, object]:
        """Return each service under the name of the parameter by which handlers ask for it."""
        names: Sequence[str] = (
            "accounts",
            "users",
            "contacts",
            "conversation_service",
            "message_service",
            "message_history",
            "message_sync",
            "presence_service",
        )
        return {name: getattr(self, name) for name in names}


def build_services(base: Foundation, engine: Engine, counters: prometheus_client.CollectorRegistry) -> Services:
    """Build the services; what they count goes to ``counters``."""
    presence, strangers = _build_presence(base, engine), _build_strangers(base)
    presence_service, withheld_marks = presence

    passwords, strength = Passwords(), PasswordStrength()
    accounts, authenticator = _build_accounts(base, passwords, strength, counters)
    react(base, engine, authenticator=authenticator, presence_service=presence_service, withheld_marks=withheld_marks)
    return Services(
        accounts=accounts,
        authenticator=authenticator,
        passwords=passwords,
        strength=strength,
        users=UserService(
            users=base.users,
            directory=base.directory,
            recorder=base.recorder,
            on_status_changed=engine.presence.status_changed,
            changing_status=presence_service.changing,
            check_room=base.check_room,
            costly_work=base.costly_work,
        ),
        contacts=ContactService(
            contacts=base.contacts,
            directory=base.directory,
            on_contact_changed=presence_service.contact_changed,
            recorder=base.recorder,
            clock=base.clock,
            check_room=base.check_room,
            costly_work=base.costly_work,
        ),
        conversation_service=ConversationService(
            writer=engine.writer,
            rosters=engine.rosters,
            conversations=base.conversations,
            contacts=base.contacts,
            snapshots=engine.snapshots,
            views=engine.views,
            fetch_users=base.directory.fetch_users,
            blocks=engine.blocks,
            on_parted=presence_service.parted,
            clock=base.clock,
            strangers=strangers,
            spend_text=partial(base.rate_limits.check, "text"),
        ),
        message_service=MessageService(
            writer=engine.writer,
            rosters=engine.rosters,
            messages=base.messages,
            users=base.users,
            contacts=base.contacts,
            fetch_users=base.directory.fetch_users,
            blocks=engine.blocks,
            check_may_write_first=strangers.check_may_write_first,
            spend_text=partial(base.rate_limits.check, "text"),
        ),
        confirmations=Confirmations(writer=engine.writer, rosters=engine.rosters, is_hidden=engine.presence.is_hidden),
        message_history=MessageHistory(
            rosters=engine.rosters,
            messages=base.messages,
            conversations=base.conversations,
            blocks=engine.blocks,
            page_reads=base.page_reads,
        ),
        message_sync=MessageSync(
            writer=engine.writer,
            messages=base.messages,
            conversations=base.conversations,
            costly_work=base.costly_work,
        ),
        presence_service=presence_service,
    )


def _build_presence(base: Foundation, engine: Engine) -> tuple[PresenceService, WithheldMarks]:
    withheld_marks = WithheldMarks(
        writer=engine.writer,
        rosters=engine.rosters,
        conversations=base.conversations,
        is_hidden=engine.presence.is_hidden,
        fetch_hidden=engine.presence.fetch_hidden,
    )
    presence_service = PresenceService(
        tracker=engine.presence,
        registry=engine.registry,
        users=base.users,
        arrivals=base.arrivals,
        conversations=base.conversations,
        on_hide=engine.typing.stop,
        on_show=withheld_marks.show_everywhere,
    )
    return presence_service, withheld_marks


def _build_strangers(base: Foundation) -> Strangers:
    return Strangers(
        contacts=base.contacts, conversations=base.conversations, rate_limits=base.rate_limits, enabled=base.has_limits
    )


def _build_accounts(
    base: Foundation,
    passwords: Passwords,
    strength: PasswordStrength,
    counters: prometheus_client.CollectorRegistry,
) -> tuple[AccountService, Authenticator]:
    settings = base.settings
    keys = load_signing_keys(settings.data_dir, _secret(settings))
    session_lifetime_s = settings.refresh_token_days * _SECONDS_A_DAY
    # No token, and so no connection, outlives its session: nothing waits for the end of one that expired.
    lifetime_s = min(settings.access_token_minutes * 60, session_lifetime_s)
    tokens = Tokens(keys, lifetime_s=lifetime_s, clock=base.clock)
    authenticator = Authenticator(tokens, base.arrivals.fetch_session_owner)
    accounts = AccountService(
        users=base.users,
        auth_sessions=base.auth_sessions,
        passwords=passwords,
        strength=strength,
        tokens=tokens,
        refresh_tokens=RefreshTokens(keys),
        registration=settings.registration,
        session_lifetime_s=session_lifetime_s,
        recorder=base.recorder,
        guard=SignInGuard(enabled=base.has_limits, count=count_sign_ins(counters)),
        device_marks=DeviceMarks(keys),
        clock=base.clock,
        check_room=base.check_room,
    )
    return accounts, authenticator


def _secret(settings: Settings) -> str | None:
    return settings.jwt_secret.get_secret_value() if settings.jwt_secret is not None else None
