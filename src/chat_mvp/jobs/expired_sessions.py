"""Ends sessions that have expired, so that their end is an event like every other."""

import asyncio

import structlog

from chat_mvp.errors import UnavailableError
from chat_mvp.events.types import SessionEnded
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.recorded import RecordedTransaction, Recorder
from chat_mvp.supervision import Supervisor

LOOK_EVERY_S = 30.0
SESSIONS_AT_ONCE = 100
"""In one transaction."""

_LOG = structlog.get_logger(__name__)


class ExpiredSessions:
    """A task that ends them regularly. Several processes may do this at once: each session is ended by one of them."""

    def __init__(self, sessions: AuthSessions, recorder: Recorder, *, look_every_s: float = LOOK_EVERY_S) -> None:
        """Store through ``recorder`` that they ended."""
        self._sessions = sessions
        self._recorder = recorder
        self._look_every_s = look_every_s
        self._task: asyncio.Task[None] | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Begin, in a task of ``supervisor``."""
        self._task = supervisor.run("expired sessions", self._run)

    def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()

    async def end_some(self) -> int:
        """End at most ``SESSIONS_AT_ONCE`` sessions and return how many there were."""
        expired = await self._sessions.fetch_expired(limit=SESSIONS_AT_ONCE)
        if not expired:
            return 0

        async def write(transaction: RecordedTransaction) -> int:
            ended = await self._sessions.delete_expired(transaction, expired)
            for session_id in ended:
                transaction.record(SessionEnded(session_id=session_id, user_id=expired[session_id]))
            return len(ended)

        return await self._recorder.record("expired sessions", write)

    async def _run(self) -> None:
        while True:
            try:
                is_more = await self.end_some() == SESSIONS_AT_ONCE
            except UnavailableError as error:
                _LOG.warning("expired_sessions_not_ended", error=error.detail)
                is_more = False
            if not is_more:
                await asyncio.sleep(self._look_every_s)
