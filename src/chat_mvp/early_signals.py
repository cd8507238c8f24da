"""Signals while the program is still being loaded, when there is nothing to clean up yet."""

import os
import signal
import sys
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def end_on_signals() -> None:
    """End the process at once on SIGINT and SIGTERM, until someone else handles them or ``restore_signals`` is called.

    Python would raise ``KeyboardInterrupt`` wherever it is, also where an import or a finalizer swallows it. A signal
    that was ignored when the program was started stays so.
    """
    for number in _NUMBERS:
        if signal.getsignal(number) not in {signal.SIG_IGN, None}:
            signal.signal(number, _end)


def restore_signals() -> None:
    """Handle signals as Python does, where they are handled by ``end_on_signals``."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) is _end:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(number: int, _: FrameType | None) -> None:
    # A server that is asked to stop and stops has done what it should; other commands are broken off.
    os._exit(0 if sys.argv[1:2] == ["serve"] else 128 + number)
