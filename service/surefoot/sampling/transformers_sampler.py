"""Sampling with transformers, for machines without vLLM: one batch a request, slower but the same contract."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from surefoot.domain import FinishReason, Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.errors import SamplerUnavailable
from surefoot.modeling.adapters import AdaptedLayers
from surefoot.modeling.checkpoint import Checkpoint, WantedDtype, load_checkpoint
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.sampling.life import EngineLife, PolicySource
from surefoot.sampling.prompt import PromptEncoder
from surefoot.sampling.seeds import candidate_seed


@dataclass(slots=True)
class _Row:
    """A candidate that is being drawn."""

    index: int
    generator: torch.Generator
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Policy:
    """The model, and its adapter if `adapter` names one of `layers`."""

    checkpoint: Checkpoint
    layers: AdaptedLayers
    adapter: str | None

    def __call__(self, **inputs: Any) -> Any:
        with self.layers.active(self.adapter):
            return self.checkpoint.model(**inputs)


@dataclass(frozen=True, slots=True)
class _Loaded:
    source: PolicySource
    policy: _Policy
    tokenizer: HfTokenizer
    prompts: PromptEncoder


class TransformersSampler:
    """Draws all candidates of a request as one batch over a shared prompt cache; finished rows leave the batch."""

    def __init__(
        self,
        name: str,
        prepare: Callable[[], PolicySource],
        *,
        dtype: WantedDtype,
        device: str,
        max_context_tokens: int,
    ) -> None:
        self._prepare = prepare
        self._dtype: WantedDtype = dtype
        self._device = device
        self._max_context_tokens = max_context_tokens
        self._life = EngineLife(name, "transformers")
        self._loaded: _Loaded | None = None
        self._one_request = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="transformers-sampler")

    @property
    def fingerprint(self) -> str | None:
        return None if self._loaded is None else self._loaded.source.fingerprint

    def state(self) -> SamplerState:
        return self._life.snapshot()

    async def start(self) -> None:
        await self._life.start(self._load)

    async def _load(self) -> None:
        self._loaded = await self._run(self._load_now)

    def _load_now(self) -> _Loaded:
        source = self._prepare()
        tokenizer = HfTokenizer.from_directory(source.directory)
        checkpoint = load_checkpoint(
            source.directory, "causal_lm", dtype=self._dtype, device=self._device, attention="sdpa"
        )
        context = min(self._max_context_tokens, checkpoint.max_positions)
        return _Loaded(source, _policy(checkpoint, source), tokenizer, PromptEncoder(tokenizer, context))

    async def _started(self) -> _Loaded:
        await self.start()
        if self._loaded is None:
            raise SamplerUnavailable("the generator was closed")
        return self._loaded

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        prompts = (await self._started()).prompts
        return Prompt(tuple(messages), await asyncio.to_thread(prompts.encode, messages, beginning), beginning)

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        """Candidates as they finish; closing the iterator stops after the token that is being computed."""
        loaded = await self._started()
        loaded.prompts.check(len(prompt.token_ids), options)
        async with self._one_request:
            draw = await self._run(_Draw, loaded.policy, loaded.tokenizer, prompt, options)
            while draw.rows:
                for candidate in await self._run(draw.advance):
                    yield candidate

    async def close(self) -> None:
        await self._life.close()
        self._loaded = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


class _Draw:
    """One request's rows and their key/value cache. `generate` of transformers has one random state for a batch; here
    each candidate has its own, so that candidate i depends on the seed and i alone."""

    def __init__(self, policy: _Policy, tokenizer: HfTokenizer, prompt: Prompt, options: SamplingOptions) -> None:
        self._policy = policy
        self._device = policy.checkpoint.device
        self._tokenizer = tokenizer
        self._options = options
        # Some tokenizers drop the space in front of a text: what goes on from a beginning is decoded behind its end.
        self._before = prompt.token_ids[-1:] if prompt.beginning else ()
        self._end_ids = frozenset(_end_of_turn_ids(policy.checkpoint.model, tokenizer))
        self.rows = [_Row(index, _generator(candidate_seed(options.seed, index))) for index in range(options.n)]
        with torch.inference_mode():
            prompt_ids = torch.tensor([prompt.token_ids], device=self._device)
            output = self._policy(input_ids=prompt_ids, use_cache=True, logits_to_keep=1)
        self._cache = copy.deepcopy(output.past_key_values)
        self._cache.batch_repeat_interleave(options.n)
        self._logits = output.logits[:, -1].float().expand(options.n, -1)

    def advance(self) -> list[SampledCandidate]:
        """Draw one token for every row and give the candidates that it finished."""
        with torch.inference_mode():
            self._draw_tokens()
            ended = [self._end(row) for row in self.rows]
            finished = [
                self._candidate(row, reason) for row, reason in zip(self.rows, ended, strict=True) if reason is not None
            ]
            kept = [place for place, reason in enumerate(ended) if reason is None]
            if finished and kept:
                self._cache.batch_select_indices(torch.tensor(kept, device=self._device))
            self.rows = [self.rows[place] for place in kept]
            if self.rows:
                last = torch.tensor([[row.token_ids[-1]] for row in self.rows], device=self._device)
                output = self._policy(input_ids=last, past_key_values=self._cache, use_cache=True)
                self._logits = output.logits[:, -1].float()
        return finished

    def _draw_tokens(self) -> None:
        logprobs = self._logits.log_softmax(-1).cpu()
        for row, values in zip(self.rows, logprobs, strict=True):
            token = draw_token(values, self._options, row.generator)
            row.token_ids.append(token)
            row.logprobs.append(float(values[token]))

    def _end(self, row: _Row) -> FinishReason | None:
        if row.token_ids[-1] in self._end_ids:
            return "stop"
        if self._options.stop and _stopped(self._text(row), self._options.stop) is not None:
            return "stop"
        return "length" if len(row.token_ids) >= self._options.max_tokens else None

    def _text(self, row: _Row) -> str:
        whole = self._tokenizer.decode((*self._before, *row.token_ids))
        return whole[len(self._tokenizer.decode(self._before)) :]

    def _candidate(self, row: _Row, reason: FinishReason) -> SampledCandidate:
        text = self._text(row)
        cut = _stopped(text, self._options.stop)
        return SampledCandidate(
            index=row.index,
            text=text if cut is None else text[:cut],
            token_ids=tuple(row.token_ids),
            finish_reason=reason,
            cumulative_logprob=sum(row.logprobs),
            logprobs=tuple(row.logprobs) if self._options.logprobs else None,
        )


def _policy(checkpoint: Checkpoint, source: PolicySource) -> _Policy:
    """Raises `AdapterMismatch` for an adapter of layers that the model does not have."""
    layers = AdaptedLayers(checkpoint.model)
    if source.adapter is None:
        return _Policy(checkpoint, layers, None)
    adapter = source.adapter.values
    layers.add(adapter.id, adapter)
    return _Policy(checkpoint, layers, adapter.id)


def draw_token(logprobs: torch.Tensor, options: SamplingOptions, generator: torch.Generator) -> int:
    """One token from log-probabilities [vocabulary] after temperature, top-k and top-p (nucleus), in that order."""
    if options.temperature == 0:
        return int(logprobs.argmax())
    scaled = (logprobs / options.temperature).softmax(-1)
    ordered, tokens = scaled.sort(descending=True)
    if options.top_k:
        ordered[options.top_k :] = 0
    before = ordered.cumsum(-1) - ordered
    ordered[before >= options.top_p] = 0
    return int(tokens[torch.multinomial(ordered, 1, generator=generator)])


def _stopped(text: str, stops: Sequence[str]) -> int | None:
    """Where the earliest stop string begins in `text`."""
    return min((place for stop in stops if (place := text.find(stop)) >= 0), default=None)


def _generator(seed: int | None) -> torch.Generator:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def _end_of_turn_ids(model: Any, tokenizer: HfTokenizer) -> list[int]:
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [] if configured is None else [configured]
    return [*listed, *tokenizer.eos_token_ids]
