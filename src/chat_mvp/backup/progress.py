"""How a backup or a restore reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """Shows how far the work has come."""

    def begin(self, step: str, total: int) -> None:
        """Begin a step that handles ``total`` documents, or about as many."""
        ...

    def advance(self, documents: int) -> None:
        """Count so many documents more as handled."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, step: str, total: int) -> None:
        """Do nothing."""

    def advance(self, documents: int) -> None:
        """Do nothing."""
