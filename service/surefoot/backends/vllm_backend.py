"""Scoring with vLLM's pooling in process: `AsyncLLM` here, its engine in a process of vLLM's own.

An engine has one pooling task and one head. With `each_token` (`token_classify`, ALL) every token's values come back
and the readout positions choose among them, so that a step tag forged in a text moves nothing; vLLM reads no prefix
cache for this task. With `last_token` (`classify`, LAST) it does, as far as its own default allows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from surefoot.backends.vllm_plan import PoolingMode, PoolingPlan, row_indices
from surefoot.domain import Forwarded, ForwardItem
from surefoot.engine_shutdown import shut_down
from surefoot.errors import BackendFailed, ModelStopped, SettingsInvalid, StartupError
from surefoot.modeling.vllm_environment import set_vllm_environment

log = logging.getLogger(__name__)

_STOP_S = 5.0
"""Seconds that vLLM's process may take to end before it is killed."""

_RESTART_PAUSE_S = 30.0
"""After a restart that failed, batches fail at once for so long instead of each waiting for another start."""

_MAX_FAILED_STARTS = 3
"""Restarts that may fail in a row before the engine is given up: then only a new process helps."""

TASKS: Mapping[PoolingMode, str] = {"each_token": "token_classify", "last_token": "classify"}

OWN_ARGUMENTS: Mapping[str, str] = {
    "model": "path",
    "tokenizer": "path",
    "dtype": "dtype",
    "max_model_len": "max_input_tokens",
    "tensor_parallel_size": "tensor_parallel_size",
    "trust_remote_code": "allow",
    "load_format": "allow",
    "runner": "the profile's readout",
    "convert": "the profile's readout",
    "pooler_config": "the profile's readout",
    "hf_overrides": "the profile's readout",
}
"""Engine arguments that follow from other settings, which `engine_arguments` must not contradict."""


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """What the engine is started with. `gpu_memory_share` is the share of each GPU that it may take, weights included,
    and `None` on the CPU, where `cpu_kv_cache_gib` is its key/value cache. `engine_arguments` are vLLM's own."""

    dtype: str
    max_input_tokens: int
    tensor_parallel_size: int = 1
    gpu_memory_share: float | None = None
    cpu_kv_cache_gib: int = 1
    allow: frozenset[str] = frozenset()
    engine_arguments: Mapping[str, Any] = field(default_factory=dict)


class VllmBackend:
    """Reads raw values with one engine of vLLM. An engine whose process died is started again by the next batch; where
    that keeps failing, `forward` raises `ModelStopped`.

    Raises a `StartupError` when the engine does not start.
    """

    def __init__(self, name: str, directory: Path, plan: PoolingPlan, options: VllmOptions) -> None:
        self._name = name
        self._directory = directory
        self._plan = plan
        self._options = options
        self._max_input_tokens = options.max_input_tokens
        self._life = threading.Lock()
        self._engine: Any = None
        self._closed = False
        self._retry_at = 0.0
        self._num_failed_starts = 0
        self._num_restarts = 0
        self._loop = asyncio.new_event_loop()
        # vLLM's asynchronous engine belongs to one loop; the scheduler's thread waits for it there.
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"vllm-{name}", daemon=True)
        self._thread.start()
        try:
            self._engine = self._start()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_input_tokens(self) -> int:
        return self._max_input_tokens

    @property
    def version(self) -> str:
        """vLLM's version."""
        from vllm import __version__

        found: str = __version__
        return found

    @property
    def num_restarts(self) -> int:
        """How often a new engine was tried because the one before had died."""
        return self._num_restarts

    def forward(self, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        engine = self._living_engine()
        return asyncio.run_coroutine_threadsafe(self._pool(engine, batch), self._loop).result()

    def close(self) -> None:
        with self._life:
            self._closed = True
            if not self._loop.is_closed():
                asyncio.run_coroutine_threadsafe(_cancel_tasks(), self._loop).result()
                self._stop_engine()
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()

    def _living_engine(self) -> Any:
        with self._life:
            if self._closed:
                raise BackendFailed("the engine was closed")
            if self._engine is not None and not self._engine.errored:
                return self._engine
            if time.monotonic() < self._retry_at:
                raise BackendFailed("vLLM's engine died and did not start again; see the server's log")
            log.error("model %s: vLLM's engine died; starting a new one", self._name)
            self._num_restarts += 1
            self._stop_engine()
            try:
                self._engine = self._start()
            except StartupError as error:
                self._retry_at = time.monotonic() + _RESTART_PAUSE_S
                self._num_failed_starts += 1
                log.error("model %s: %s", self._name, error.message)  # noqa: TRY400  the message says it all
                if self._num_failed_starts >= _MAX_FAILED_STARTS:
                    raise ModelStopped(
                        f"vLLM's engine died and failed to start again {self._num_failed_starts} times"
                    ) from error
                raise
            self._num_failed_starts = 0
            return self._engine

    def _start(self) -> Any:
        set_vllm_environment(cpu_kv_cache_gib=self._options.cpu_kv_cache_gib)
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        if (current_platform.device_type == "cpu") != (self._options.gpu_memory_share is None):
            raise SettingsInvalid(
                f"the vLLM that is installed runs on {current_platform.device_type}: set device to that", param="device"
            )
        known = {argument.name for argument in fields(AsyncEngineArgs)}
        arguments = engine_arguments(self._directory, self._plan, self._options, known)
        try:
            return AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        except Exception as cause:
            reason = str(cause).strip().splitlines()
            raise SettingsInvalid(
                f"vLLM does not start for model {self._name}: {(reason or [type(cause).__name__])[0][:300]} "
                '(the log above tells more); change its engine_arguments, or set backend = "transformers"',
                param="backend",
            ) from cause

    def _stop_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            shut_down(engine, _STOP_S)

    async def _pool(self, engine: Any, batch: Sequence[ForwardItem]) -> list[Forwarded]:
        tasks = [asyncio.create_task(self._pool_one(engine, item)) for item in batch]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pool_one(self, engine: Any, item: ForwardItem) -> Forwarded:
        from vllm import PoolingParams
        from vllm.inputs import tokens_input

        pooled = None
        parameters = PoolingParams(task=TASKS[self._plan.mode], use_activation=False)
        prompt = tokens_input(list(item.rendered.token_ids))
        async for output in engine.encode(prompt, parameters, uuid.uuid4().hex):
            pooled = output.outputs.data
        if pooled is None:
            raise BackendFailed("the engine ended a request without an answer")
        values = pooled.float().reshape(-1, self._plan.num_columns)
        indices = row_indices(self._plan.mode, len(values), item.rendered)
        return Forwarded(tuple(map(tuple, values[indices].tolist())))


def engine_arguments(directory: Path, plan: PoolingPlan, options: VllmOptions, known: set[str]) -> dict[str, Any]:
    """Arguments of vLLM's `AsyncEngineArgs`, whose own names are `known`.

    Raises `SettingsInvalid` for an engine argument that vLLM does not know, or that another setting decides.
    """
    for argument in options.engine_arguments:
        if argument in OWN_ARGUMENTS:
            raise SettingsInvalid(
                f"engine_arguments.{argument} is decided by {OWN_ARGUMENTS[argument]}: set that instead",
                param="engine_arguments",
            )
        if argument not in known:
            raise SettingsInvalid(
                f"engine_arguments.{argument} is no argument of this vLLM's engine", param="engine_arguments"
            )
    pooling = "tok_pooling_type" if plan.mode == "each_token" else "seq_pooling_type"
    on_gpu = options.gpu_memory_share is not None
    return {
        "model": str(directory),
        "runner": "pooling",
        "convert": plan.convert,
        "hf_overrides": dict(plan.overrides),
        "pooler_config": {"task": TASKS[plan.mode], pooling: "ALL" if plan.mode == "each_token" else "LAST"},
        "dtype": options.dtype,
        "max_model_len": options.max_input_tokens,
        "tensor_parallel_size": options.tensor_parallel_size,
        "trust_remote_code": "remote_code" in options.allow,
        "load_format": "auto" if "pickle_weights" in options.allow else "safetensors",
        # Compiling pays on a GPU; on a CPU it lengthens the start by more than short runs win back.
        "enforce_eager": not on_gpu,
        "enable_log_requests": False,
        "disable_log_stats": True,
        **({"gpu_memory_utilization": options.gpu_memory_share} if on_gpu else {}),
        **options.engine_arguments,
    }


async def _cancel_tasks() -> None:
    """Ends the requests that still wait, and with them the threads that wait for those."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
