"""math-verify behind a hard wall-clock limit, in a process of its own that can be killed."""

from __future__ import annotations

import json
import logging
import os
import selectors
import subprocess
import sys
import threading
import time
from types import TracebackType
from typing import IO, Self

_LOG = logging.getLogger(__name__)

# The child sees this process's import path and none of its environment: no secret is near hostile input.
_BOOTSTRAP = "import sys; sys.path[:] = sys.argv[1:]; from surefoot.answers.worker_main import main; main()"
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}

# Two answers of this length, escaped as JSON, still fit a pipe's buffer, so that writing never blocks.
_MAX_CHARS = 2000


class MathVerifyJudge:
    """An `EquivalenceJudge` that asks math-verify, in both directions, in one worker process.

    The process starts on first use (or by `start`) and serves one comparison at a time; several threads may call.
    A comparison that takes more than `limit_s` seconds of wall-clock time, or kills the process, counts as not
    equivalent, and the next one gets a new process. Loading math-verify takes seconds and has its own limit,
    `startup_limit_s`. A longer limit judges harder answers and lets a hostile one hold the worker for longer.
    """

    def __init__(self, *, limit_s: float = 1.0, startup_limit_s: float = 60.0) -> None:
        self._limit_s = limit_s
        self._startup_limit_s = startup_limit_s
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False

    def start(self) -> bool:
        """Start the worker unless it runs, so that no comparison waits for it; `False` where it cannot start."""
        with self._lock:
            return self._running_worker() is not None

    def equivalent(self, first: str, second: str) -> bool:
        """Whether math-verify holds the answers for equal; `False` where it cannot say within the limits.

        Raises `RuntimeError` after `close`.
        """
        if max(len(first), len(second)) > _MAX_CHARS:
            return False
        with self._lock:
            worker = self._running_worker()
            if worker is None:
                return False
            reply: bool | None = None
            try:
                reply = worker.compare(first, second, self._limit_s)
            finally:
                if reply is None:  # also on an interrupt: a late reply must not answer the next comparison
                    worker.kill()
                    self._worker = None
            return reply is True

    def close(self) -> None:
        """End the worker, after the comparison that is under way; idempotent."""
        with self._lock:
            self._closed = True
            if self._worker is not None:
                self._worker.kill()
                self._worker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _running_worker(self) -> _Worker | None:
        if self._closed:
            raise RuntimeError("the judge is closed")
        if self._worker is not None and not self._worker.is_alive():
            self._worker.kill()
            self._worker = None
        if self._worker is None:
            self._worker = _started_worker(self._startup_limit_s)
        return self._worker


def _started_worker(startup_limit_s: float) -> _Worker | None:
    try:
        worker = _Worker()
    except OSError as error:
        _LOG.warning("the equivalence worker could not be started: %s", error)
        return None
    if worker.is_ready(startup_limit_s):
        return worker
    worker.kill()
    _LOG.warning("the equivalence worker ended or timed out while loading math-verify")
    return None


class _Worker:
    """One child process and the pipes to it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-P", "-s", "-c", _BOOTSTRAP, *(str(entry) or "." for entry in sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_ENVIRONMENT,
            start_new_session=True,
        )

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def is_ready(self, limit_s: float) -> bool:
        return self._reply(limit_s) == {"ready": True}

    def compare(self, first: str, second: str, limit_s: float) -> bool | None:
        """The worker's verdict, `None` where it died or took too long."""
        request = {"first": first, "second": second, "limit_s": 2 * limit_s + 1}
        try:
            _pipe(self.process.stdin).write(json.dumps(request).encode() + b"\n")
        except OSError:
            return None
        reply = self._reply(limit_s)
        return None if reply is None else reply["equivalent"]

    def kill(self) -> None:
        """End the process, wait until it is gone and close the pipes."""
        self.process.kill()
        self.process.wait()
        _pipe(self.process.stdin).close()
        _pipe(self.process.stdout).close()

    def _reply(self, limit_s: float) -> dict[str, bool] | None:
        deadline_s = time.monotonic() + limit_s
        line = b""
        with selectors.DefaultSelector() as selector:
            output = _pipe(self.process.stdout)
            selector.register(output, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(deadline_s - time.monotonic(), 0)):
                    return None
                chunk = os.read(output.fileno(), 4096)
                if not chunk:
                    return None
                line += chunk
        reply: dict[str, bool] = json.loads(line)
        return reply


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the worker was started without pipes")
    return stream
