"""The OpenAI-compatible wire, as pure functions: what is sent, and what may come back.

Two ways to ask for one candidate, in one table: `chat` sends messages, which the server renders with its own chat
template; `completions` sends the prompt's token ids where they are known, else plain text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from surefoot.domain import FinishReason, Message, Prompt, SampledCandidate, SamplingOptions
from surefoot.errors import SamplerUnavailable
from surefoot.sampling.seeds import candidate_seed

RemoteApi = Literal["chat", "completions"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server is asked for beyond text: the drawn tokens' `logprobs`, and vLLM's `extensions` (token ids, and
    the truncations that OpenAI's API does not have)."""

    logprobs: bool = True
    extensions: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """One choice as it came. `logprobs` and `num_tokens` are `None`, `token_ids` empty, where they were not given."""

    text: str
    finish_reason: FinishReason
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...] | None
    num_tokens: int | None


@dataclass(frozen=True, slots=True)
class ApiDialect:
    """One of the two APIs: its path, its own part of a request, and where a choice keeps text and log-probabilities."""

    path: str
    body: Callable[[Prompt, Offer], dict[str, Any]]
    text: Callable[[Mapping[str, Any]], Any]
    logprobs: Callable[[Mapping[str, Any]], Any]


def _chat_body(prompt: Prompt, offer: Offer) -> dict[str, Any]:
    logprobs = {"logprobs": True} if offer.logprobs else {}
    return {**(_continued(prompt) if prompt.beginning else {"messages": message_list(prompt.messages)}), **logprobs}


def _completions_body(prompt: Prompt, offer: Offer) -> dict[str, Any]:
    # 1, not 0: some servers read 0 as "none". The drawn token's own value comes with either.
    logprobs = {"logprobs": 1} if offer.logprobs else {}
    return {"prompt": list(prompt.token_ids) or plain_text(prompt.messages), **logprobs}


def _continued(prompt: Prompt) -> dict[str, Any]:
    """vLLM's way to have the assistant's last turn continued."""
    turns = (*prompt.messages, Message("assistant", prompt.beginning))
    return {"messages": message_list(turns), "add_generation_prompt": False, "continue_final_message": True}


def _chat_logprobs(choice: Mapping[str, Any]) -> Any:
    listed = (choice.get("logprobs") or {}).get("content")
    return None if listed is None else [entry["logprob"] for entry in listed]


DIALECTS: Mapping[RemoteApi, ApiDialect] = {
    "chat": ApiDialect(
        path="/v1/chat/completions",
        body=_chat_body,
        # A server that parts reasoning from the answer gives null where all of it was reasoning.
        text=lambda choice: choice["message"]["content"] or "",
        logprobs=_chat_logprobs,
    ),
    "completions": ApiDialect(
        path="/v1/completions",
        body=_completions_body,
        text=lambda choice: choice["text"],
        logprobs=lambda choice: (choice.get("logprobs") or {}).get("token_logprobs"),
    ),
}


def message_list(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Messages as JSON."""
    return [{"role": message.role, "content": message.content} for message in messages]


def plain_text(messages: tuple[Message, ...]) -> str:
    """A conversation for a policy without a chat template: its turns, a blank line between them and after the last."""
    return "".join(f"{message.content}\n\n" for message in messages)


def tokenize_bodies(api: RemoteApi, model: str, prompt: Prompt) -> list[dict[str, Any]]:
    """What vLLM's `POST /tokenize` is asked for, so that its answers one after the other are the prompt's tokens."""
    opened = {"model": model, "messages": message_list(prompt.messages), "add_generation_prompt": True}
    if not prompt.beginning:
        return [opened]
    if api == "chat":
        return [{"model": model, **_continued(prompt)}]
    return [opened, {"model": model, "prompt": prompt.beginning, "add_special_tokens": False}]


def request_body(
    api: RemoteApi, model: str, prompt: Prompt, options: SamplingOptions, index: int, offer: Offer
) -> dict[str, Any]:
    """The JSON that asks for candidate `index`."""
    body: dict[str, Any] = {
        "model": model,
        "n": 1,
        "temperature": options.temperature,
        "top_p": options.top_p,
        "max_tokens": options.max_tokens,
        "stream": False,
    }
    if options.stop:
        body["stop"] = list(options.stop)
    if options.seed is not None:
        body["seed"] = candidate_seed(options.seed, index)
    if offer.extensions:
        # A server may hold defaults of its own for the model; what was asked here is all that shapes the candidate.
        neutral = {"top_k": options.top_k or -1, "min_p": 0.0, "repetition_penalty": 1.0}
        body |= {"return_token_ids": True, **neutral}
    return body | DIALECTS[api].body(prompt, offer)


def read_drawn(api: RemoteApi, answer: Any) -> Drawn:
    """The only choice of an answer. Raises `SamplerUnavailable` for anything that is not of the documented shape."""
    dialect = DIALECTS[api]
    try:
        [choice] = answer["choices"]
        text, reason = dialect.text(choice), choice["finish_reason"]
        token_ids = tuple(choice.get("token_ids") or ())
        logprobs = dialect.logprobs(choice)
        num_tokens = (answer.get("usage") or {}).get("completion_tokens")
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise SamplerUnavailable(f"the server's answer is not of the {api} API's shape") from cause
    if reason not in ("stop", "length"):
        raise SamplerUnavailable("the server ended a candidate for another reason than `stop` or `length`")
    if not isinstance(text, str) or not all(_is_count(token) for token in token_ids):
        raise SamplerUnavailable(f"the server's answer is not of the {api} API's shape")
    checked = _checked_logprobs(logprobs, len(token_ids))
    return Drawn(text, reason, token_ids, checked, num_tokens if _is_count(num_tokens) else None)


def _checked_logprobs(values: Any, num_token_ids: int) -> tuple[float, ...] | None:
    """Log-probabilities reach a training loop: one that is not a number, or belongs to no token, must not."""
    if not values:
        return None
    if not isinstance(values, list) or not all(_is_number(value) for value in values):
        raise SamplerUnavailable("the server gave log-probabilities that are not numbers")
    if num_token_ids and len(values) != num_token_ids:
        raise SamplerUnavailable(f"the server gave {num_token_ids} token ids but {len(values)} log-probabilities")
    return tuple(float(value) for value in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def candidate_of(index: int, drawn: Drawn, *, with_logprobs: bool) -> SampledCandidate:
    """A drawn choice as a candidate; without log-probabilities their sum is `None`, not 0."""
    num_tokens = drawn.num_tokens
    if num_tokens is None and drawn.logprobs is not None:
        num_tokens = len(drawn.logprobs)
    return SampledCandidate(
        index=index,
        text=drawn.text,
        token_ids=drawn.token_ids,
        finish_reason=drawn.finish_reason,
        cumulative_logprob=None if drawn.logprobs is None else sum(drawn.logprobs),
        logprobs=drawn.logprobs if with_logprobs else None,
        reported_tokens=num_tokens,
    )


def read_model_names(answer: Any) -> tuple[str, ...]:
    """Names in the answer of `GET /v1/models`. Raises `SamplerUnavailable` where it has another shape."""
    try:
        return tuple(str(entry["id"]) for entry in answer["data"])
    except (KeyError, TypeError) as cause:
        raise SamplerUnavailable("the server's list of models is not of the OpenAI API's shape") from cause


def read_tokens(answer: Any) -> tuple[int, ...]:
    """Token ids in the answer of vLLM's `POST /tokenize`. Raises `SamplerUnavailable` where it has another shape."""
    tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
    if not isinstance(tokens, list) or not tokens or not all(_is_count(token) for token in tokens):
        raise SamplerUnavailable("the server's answer to /tokenize holds no token ids")
    return tuple(tokens)
