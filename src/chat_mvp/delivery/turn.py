"""A batch on its way, from the moment its operations are taken until everything of it has been told."""

import asyncio
from collections.abc import Sequence

import structlog

from chat_mvp.delivery.batch import Batch, Effect, Operation
from chat_mvp.delivery.planning import Refusals
from chat_mvp.errors import ChatError

_LOG = structlog.get_logger(__name__)


class Turn:
    """What is known of one batch on its way."""

    def __init__(self, operations: list[Operation], planned: Batch | None = None) -> None:
        """Begin with what was ``planned`` ahead, where that was possible."""
        self.operations = operations
        self.planned = planned
        self.batch: Batch | None = None
        """What is being stored, or was tried last."""
        self.refused: Refusals = []
        self.is_carried_out = False
        """The database has done everything; what is left is to make it durable."""
        self.is_shaken = False
        """Another batch failed meanwhile, and what both believe of a conversation was dropped."""
        self.told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when whoever reads what is stored of this batch reads nothing that is not told."""

    def let_out(self) -> None:
        """Tell everybody what is stored, and answer those who are refused."""
        try:
            if self.batch is not None:
                _let_out(self.batch, self.batch.effects)
            self._refuse()
        finally:
            # Whatever went wrong with a listener, nobody may wait for this turn for ever.
            self.end()

    def let_out_late(self) -> None:
        """Tell everybody what turned out to be stored after the askers were refused."""
        try:
            if self.batch is not None:
                _let_out(self.batch, self.batch.late_effects)
        finally:
            self.end()

    def refuse_all(self, error: ChatError) -> None:
        """Answer everybody that it was not done, or that nobody knows."""
        for operation in self.operations:
            operation.refuse(error)

    def end(self) -> None:
        """Note that nothing is left to tell."""
        if not self.told.done():
            self.told.set_result(None)

    def _refuse(self) -> None:
        for operation, error in self.refused:
            operation.refuse(error)


def _let_out(batch: Batch, effects: Sequence[Effect]) -> None:
    for effect in effects:
        try:
            effect()
        except Exception:  # noqa: BLE001
            # What is stored is stored; one listener's fault must not keep it from the others.
            _LOG.exception("effect failed")
    # They hold the batch that holds them: such circles would keep the garbage collector busy all the time.
    batch.effects.clear()
    batch.late_effects.clear()
