"""Feeds all consumers of this process's application."""

import asyncio
import os
import re
import secrets
import socket
from collections.abc import Mapping, Sequence

from chat_mvp.clock import Now
from chat_mvp.consumers.consumer import Consumer
from chat_mvp.consumers.timing import Timing
from chat_mvp.consumers.worker import LEAVE_WITHIN_S, Worker
from chat_mvp.storage.client import Collections
from chat_mvp.storage.consumers import Consumers
from chat_mvp.supervision import Supervisor, cancel

_NAME = re.compile(r"[a-z0-9_-]{1,64}")


class ConsumerRunner:
    """Claims consumers and feeds them, each in a task of its own, so that a slow one does not hold up the others."""

    def __init__(
        self,
        consumers: Sequence[Consumer],
        *,
        store: Consumers,
        streams: Collections,
        now: Now,
        timing: Timing | None = None,
    ) -> None:
        """Feed these consumers; ``ValueError`` for a name that will not do or is used twice."""
        names = [consumer.name for consumer in consumers]
        for name in names:
            if _NAME.fullmatch(name) is None or names.count(name) > 1:
                raise ValueError(f"The name of the consumer {name!r} is not allowed or is used twice.")
        # For people who read it in `chat-mvp consumers`, and different after each start.
        owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._timing = timing or Timing()
        self._workers = [
            Worker(consumer, store, streams, owner=owner, timing=self._timing, now=now) for consumer in consumers
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, supervisor: Supervisor) -> None:
        """Begin to claim consumers, in tasks of ``supervisor``."""
        self._tasks = [supervisor.run(f"consumer {worker.name}", worker.run) for worker in self._workers]

    async def stop(self) -> None:
        """End, and let other processes take over at once."""
        for worker in self._workers:
            worker.stop()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._timing.grace_s + 2 * LEAVE_WITHIN_S)
        await cancel(late)

    def problem(self) -> str | None:
        """Return which consumer is stuck, as a sentence for an operator, or ``None``."""
        for worker in self._workers:
            if worker.is_owner and (problem := self._problem_of(worker)) is not None:
                return problem
        return None

    def _problem_of(self, worker: Worker) -> str | None:
        failing_for_s, busy_for_s = worker.failing_for_s(), worker.busy_for_s()
        behind_s = max(worker.lag_s(), failing_for_s)
        if failing_for_s > self._timing.failing_after_s and behind_s > self._timing.stuck_after_s:
            return f"The consumer {worker.name} fails ({worker.counts.last_error}) and is {behind_s:.0f} s behind."
        if busy_for_s > self._timing.stuck_after_s:
            return f"The consumer {worker.name} has not returned from handle for {busy_for_s:.0f} s."
        return None

    def lags_s(self) -> Mapping[str, float]:
        """Return how far behind the consumers are that this process feeds, by name."""
        return {worker.name: worker.lag_s() for worker in self._workers if worker.is_owner}

    def handled(self) -> Mapping[str, float]:
        """Return how many events this process has handled, by the name of the consumer."""
        return {worker.name: worker.counts.handled for worker in self._workers}

    def failed(self) -> Mapping[str, float]:
        """Return how many attempts failed in this process, by the name of the consumer."""
        return {worker.name: worker.counts.failed for worker in self._workers}

    def set_aside(self) -> Mapping[str, float]:
        """Return how many events this process has set aside, by the name of the consumer."""
        return {worker.name: worker.counts.set_aside for worker in self._workers}
