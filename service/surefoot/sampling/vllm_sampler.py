"""vLLM in process: `AsyncLLM` here, its engine in a process of vLLM's own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surefoot.domain import FinishReason, Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.engine_shutdown import shut_down
from surefoot.errors import AdapterMismatch, SamplerUnavailable, SurefootError
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.modeling.vllm_environment import set_vllm_environment
from surefoot.sampling.life import EngineLife, PolicySource
from surefoot.sampling.policy_adapter import PolicyAdapter
from surefoot.sampling.prompt import PromptEncoder
from surefoot.sampling.seeds import candidate_seed

log = logging.getLogger(__name__)

_STOP_S = 15.0
"""Seconds that vLLM's process may take to end before it is killed."""

_MOST_SAID = 300
"""Characters of vLLM's own words in a message."""

LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The bounds on an adapter's rank that vLLM can be started with."""


@dataclass(frozen=True, slots=True)
class VllmOptions:
    """What the engine is started with. `gpu_memory_share` is the share of one GPU that vLLM may take, weights included;
    `cpu_kv_cache_gib` is the key/value cache when it runs on the CPU."""

    dtype: str = "auto"
    max_context_tokens: int = 4096
    max_concurrent: int = 64
    gpu_memory_share: float = 0.45
    cpu_kv_cache_gib: int = 1
    on_gpu: bool = False


class VllmSampler:
    """Draws candidates with vLLM; the engine starts on the first use or when `start` is called."""

    def __init__(self, name: str, prepare: Callable[[], PolicySource], options: VllmOptions) -> None:
        self._prepare = prepare
        self._options = options
        self._life = EngineLife(name, "vllm")
        self._engine: Any = None
        self._source: PolicySource | None = None
        self._lora: Any = None
        self._prompts: PromptEncoder | None = None

    @property
    def fingerprint(self) -> str | None:
        return None if self._source is None else self._source.fingerprint

    def state(self) -> SamplerState:
        if self._engine is not None and self._engine.errored:
            self._life.failed("the engine's process died; the next request starts a new one")
        return self._life.snapshot()

    async def start(self) -> None:
        self.state()
        await self._life.start(self._load)

    async def _load(self) -> None:
        await self._stop_engine()
        self._source = await asyncio.to_thread(self._prepare)
        tokenizer = await asyncio.to_thread(HfTokenizer.from_directory, self._source.directory)
        self._prompts = PromptEncoder(tokenizer, self._options.max_context_tokens)
        lora = lora_arguments(self._source.adapter)
        self._engine = await asyncio.to_thread(self._build_engine, self._source.directory, lora)
        self._lora = None if self._source.adapter is None else await self._loaded_lora(self._source.adapter)

    async def _loaded_lora(self, adapter: PolicyAdapter) -> Any:
        """What each request names the adapter by. Raises `AdapterMismatch` where vLLM cannot take it."""
        from vllm.lora.request import LoRARequest

        request = LoRARequest(adapter.values.id, 1, str(adapter.directory))
        try:
            await self._engine.add_lora(request)
        except Exception as cause:
            await self._stop_engine()
            raise AdapterMismatch(
                f"vLLM cannot take the adapter {adapter.directory} ({type(cause).__name__}: {cause})"[:_MOST_SAID]
                + "; set generator.engine to transformers, or merge the adapter into its base",
                param="generator.adapter",
            ) from cause
        return request

    def _build_engine(self, directory: Path, lora: dict[str, Any]) -> Any:
        set_vllm_environment(cpu_kv_cache_gib=self._options.cpu_kv_cache_gib)
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        on_gpu = self._options.on_gpu
        if on_gpu:
            arguments: dict[str, Any] = {"gpu_memory_utilization": self._options.gpu_memory_share}
        else:
            # A prompt that is split over two steps has vLLM turn back its seeded generator, which on a CPU cannot be
            # turned back: the engine dies of 24 seeded candidates of a prompt with 90 tokens.
            arguments = {"enable_chunked_prefill": False}
        return AsyncLLM.from_engine_args(
            AsyncEngineArgs(
                model=str(directory),
                dtype=self._options.dtype,
                max_model_len=self._options.max_context_tokens,
                max_num_seqs=self._options.max_concurrent,
                # Compiling pays on a GPU; on a CPU it lengthens the start by more than short runs win back.
                enforce_eager=not on_gpu,
                enable_log_requests=False,
                disable_log_stats=True,
                # Candidates without a seed of their own must differ from one start of the service to the next.
                seed=secrets.randbits(31),
                **arguments,
                **lora,
            )
        )

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        prompts = await self._started()
        return Prompt(tuple(messages), await asyncio.to_thread(prompts.encode, messages, beginning), beginning)

    async def _started(self) -> PromptEncoder:
        await self.start()
        if self._prompts is None:
            raise SamplerUnavailable("the generator was closed")
        return self._prompts

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        """Candidates as they finish. Closing the iterator, or cancelling its task, aborts the engine's requests."""
        (await self._started()).check(len(prompt.token_ids), options)
        request = uuid.uuid4().hex
        tasks = [
            asyncio.create_task(self._draw(f"{request}-{index}", index, prompt, options)) for index in range(options.n)
        ]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        except SurefootError:
            raise
        except Exception as cause:
            log.exception("vLLM failed while sampling")
            raise SamplerUnavailable(f"vLLM failed while sampling: {type(cause).__name__}") from cause
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _draw(self, request_id: str, index: int, prompt: Prompt, options: SamplingOptions) -> SampledCandidate:
        """One candidate by one engine request: as fast as vLLM's own n > 1, which splits in the same way, and each
        candidate is known the moment it ends."""
        from vllm.inputs import tokens_input

        last = None
        stream = self._engine.generate(
            tokens_input(list(prompt.token_ids)),
            sampling_params(options, index),
            request_id,
            lora_request=self._lora,
        )
        async with contextlib.aclosing(stream) as outputs:
            async for output in outputs:
                last = output.outputs[0]
        if last is None or last.finish_reason not in ("stop", "length"):
            raise SamplerUnavailable("the engine ended a request before its candidate was finished")
        return candidate_from(index, last, with_logprobs=options.logprobs)

    async def close(self) -> None:
        await self._life.close()
        await self._stop_engine()

    async def _stop_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(shut_down, engine, _STOP_S)


def lora_arguments(adapter: PolicyAdapter | None) -> dict[str, Any]:
    """What the engine needs to be told at start to take the adapter; nothing without one. Raises `AdapterMismatch`."""
    if adapter is None:
        return {}
    rank = next((rank for rank in LORA_RANKS if rank >= adapter.max_rank), None)
    if rank is None:
        raise AdapterMismatch(
            f"the adapter has rank {adapter.max_rank} and vLLM takes {LORA_RANKS[-1]} at most: set generator.engine "
            "to transformers, or merge the adapter into its base",
            param="generator.adapter",
        )
    return {"enable_lora": True, "max_lora_rank": rank, "max_loras": 1}


def sampling_params(options: SamplingOptions, index: int) -> Any:
    """vLLM's parameters for candidate `index`; log-probabilities are the drawn token's, before any truncation."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        n=1,
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k or 0,
        max_tokens=options.max_tokens,
        stop=list(options.stop) or None,
        seed=candidate_seed(options.seed, index),
        logprobs=0,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def candidate_from(index: int, output: Any, *, with_logprobs: bool) -> SampledCandidate:
    """A vLLM `CompletionOutput` as a candidate."""
    token_ids = tuple(output.token_ids)
    reason: FinishReason = output.finish_reason
    drawn = tuple(
        float(choices[token].logprob) for token, choices in zip(token_ids, output.logprobs or (), strict=True)
    )
    return SampledCandidate(
        index=index,
        text=output.text,
        token_ids=token_ids,
        finish_reason=reason,
        cumulative_logprob=sum(drawn),
        logprobs=drawn if with_logprobs else None,
    )
