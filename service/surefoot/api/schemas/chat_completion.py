"""`POST /v1/chat/completions`: the answer as OpenAI's clients read it, made from the native one."""

from __future__ import annotations

from typing import Any, Literal

from surefoot.api.schemas.best_of_n import BestOfNUsage, RankingOut, SavingOut
from surefoot.api.schemas.common import Response, TimingOut
from surefoot.api.schemas.rank import RankedOut


class AssistantMessage(Response):
    """The text of a candidate."""

    role: Literal["assistant"]
    content: str


class ChatChoice(Response):
    """A candidate in its place; `surefoot` has its scores, and its `index` among all that were drawn."""

    index: int
    message: AssistantMessage
    finish_reason: Literal["stop", "length"]
    logprobs: None
    surefoot: RankedOut


class ChatUsage(Response):
    """Tokens of the prompt, once (0 where the generator does not tell them), and of all candidates drawn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatSelection(RankingOut):
    """How the choice was made, in the fields of /best_of_n. When `abstained`, `best` is null, and the first choice is
    the candidate in front."""

    abstained: bool
    early_stop: SavingOut | None = None
    usage: BestOfNUsage
    timing: TimingOut


class ChatCompletion(Response):
    """The best candidates as choices."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    system_fingerprint: str | None
    choices: list[ChatChoice]
    usage: ChatUsage
    surefoot: ChatSelection


def choice_views(answer: dict[str, Any], n: int) -> list[dict[str, Any]]:
    """The `n` best of a native answer as JSON; candidates without a score are never among them."""
    drawn = {candidate["index"]: candidate for candidate in answer["candidates"]}
    scored = [ranked for ranked in answer["ranking"]["results"] if "error" not in ranked]
    return [
        {
            "index": place,
            "message": {"role": "assistant", "content": drawn[ranked["index"]]["text"]},
            "finish_reason": drawn[ranked["index"]]["finish_reason"],
            "logprobs": None,
            "surefoot": ranked,
        }
        for place, ranked in enumerate(scored[:n])
    ]


def selection_view(answer: dict[str, Any]) -> dict[str, Any]:
    """How the choice was made, from a native answer, as JSON."""
    kept = {name: answer[name] for name in ("early_stop", "usage", "timing") if name in answer}
    return {**answer["ranking"], "abstained": answer["best"] is None, **kept}


def usage_view(answer: dict[str, Any]) -> dict[str, int]:
    """Token counts of a native answer as OpenAI's clients read them."""
    prompt, completion = answer["usage"]["prompt_tokens"] or 0, answer["usage"]["completion_tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
