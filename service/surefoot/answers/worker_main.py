"""The process in which math-verify compares answers: a JSON line in, a JSON line out, until its input ends.

Answers are hostile: comparing them may hang, take all memory or overflow the stack. Nothing here has to survive that;
`worker.py` kills and replaces the process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import BinaryIO

MEMORY_LIMIT_BYTES = 2 << 30

Compare = Callable[[str, str], bool]


def main() -> None:
    """Limit this process, load math-verify, say `{"ready": true}` and answer requests until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit(resource.RLIMIT_AS, MEMORY_LIMIT_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    requests, replies = sys.stdin.buffer, _claimed_stdout()
    logging.disable(logging.CRITICAL)
    compare = _load_compare()
    _send(replies, {"ready": True})
    for line in requests:
        request = json.loads(line)
        # Python cannot act while one long operation runs, but the kernel can: should the parent be gone, an
        # unhandled SIGALRM ends this process.
        signal.setitimer(signal.ITIMER_REAL, request["limit_s"])
        equivalent = compare(request["first"], request["second"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, {"equivalent": equivalent})


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # some platforms know the limit but refuse to set it
        resource.setrlimit(kind, (allowed, allowed))


def _claimed_stdout() -> BinaryIO:
    """Standard output for replies alone; whatever a library prints goes where errors go."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _load_compare() -> Compare:
    from math_verify import parse, verify

    def compare(first: str, second: str) -> bool:
        try:
            # Its own time-outs need signals of the main thread and cannot stop one long operation: off.
            ours, theirs = (parse(rf"\boxed{{{answer}}}", parsing_timeout=None) for answer in (first, second))
            return bool(verify(ours, theirs, timeout_seconds=None) or verify(theirs, ours, timeout_seconds=None))
        except Exception:  # noqa: BLE001 - any failure of the library means that it could not decide
            return False

    compare(
        r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}"
    )  # builds the parser's tables before the clock of a request runs
    return compare


def _send(replies: BinaryIO, message: dict[str, bool]) -> None:
    replies.write(json.dumps(message).encode() + b"\n")
    replies.flush()
