"""The end of an engine that runs in processes of its own."""

from __future__ import annotations

import gc
import logging
from typing import Protocol

log = logging.getLogger(__name__)

_TRIES = 2


class EngineProcesses(Protocol):
    """What is asked of an engine; vLLM's has it."""

    def shutdown(self, timeout: float) -> None: ...


def shut_down(engine: EngineProcesses, grace_s: float) -> None:
    """End the engine's processes, which have `grace_s` seconds to do so by themselves; blocking.

    Raises nothing: vLLM looks at each process before it kills it, and fails where one has just ended, which must not
    keep others from being ended.
    """
    for _ in range(_TRIES):
        try:
            engine.shutdown(grace_s)
        except Exception as error:  # noqa: BLE001  whatever it is, there is nobody who could do more
            log.warning("an engine's processes did not end in order: %s", type(error).__name__)
            grace_s = 0.0
        else:
            break
    # vLLM's engine is full of cycles, and its finaliser fails when the interpreter is already half gone.
    del engine
    gc.collect()
