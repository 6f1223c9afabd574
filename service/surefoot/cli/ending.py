"""The end of the process, which no thread that never returns can hold up."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

MODEL_FAILED = 70
"""Exit status after a model could not go on: the one that sysexits.h calls an internal error of the software."""

CLOSING_S = 25.0
"""Seconds for letting go of models and engines, once everything accepted is answered."""

LEAVING_S = 5.0
"""Seconds for the interpreter's own end, which waits for every thread."""

_LAST_WORDS_S = 1.0


def end_within(seconds: float, status: int) -> None:
    """End the process with `status` after `seconds`, unless it has ended by then.

    Python waits at its end for threads, and a forward pass that is stuck holds one that nobody can interrupt. So the
    interpreter is not asked: `os._exit`. Each log handler writes its records at once, so that none is lost.
    """
    _daemon(seconds, _say_and_end, status)
    # Saying it takes a lock that the hung thread may hold.
    _daemon(seconds + _LAST_WORDS_S, os._exit, status)


def _say_and_end(status: int) -> None:
    log.critical(
        "a thread does not end (a stuck forward pass, or a model still loading); leaving it, status %d", status
    )
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)


def _daemon(seconds: float, act: Callable[[int], object], status: int) -> None:
    timer = threading.Timer(seconds, act, (status,))
    timer.daemon = True
    timer.start()
