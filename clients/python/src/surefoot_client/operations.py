"""Every operation of the API as a function from plain arguments to a `Call`. Both clients are built on these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, TypeVar
from urllib.parse import quote

from surefoot_client.calls import Call, Reply, decoded, json_reader, raise_for_status, server_error
from surefoot_client.catalog import ModelCatalog, ReadyState, Reloaded
from surefoot_client.errors import BadResponse
from surefoot_client.inputs import (
    Aggregation,
    EarlyStop,
    Messages,
    Priority,
    ScoreItem,
    Strategy,
    affinity_of,
    encode,
    listed,
)
from surefoot_client.rankings import Ranking, ranking_groups, single_ranking
from surefoot_client.retry import Cost
from surefoot_client.samples import BestOfN, SampleResponse
from surefoot_client.scores import ItemFailure, ItemResult, ScoreResponse
from surefoot_client.selections import ItemSelection, SelectResponse

T = TypeVar("T")


def score(
    items: Sequence[ScoreItem | Mapping[str, object]],
    *,
    model: str | None = None,
    aggregation: Aggregation | None = None,
    threshold: float | None = None,
    timeout_s: float | None = None,
    priority: Priority | None = None,
    trace: bool | None = None,
    checks: Sequence[str] | None = None,
    combine_checks: bool | None = None,
    rewards: Mapping[str, object] | None = None,
) -> Call[ScoreResponse]:
    """`POST /score`."""
    sent = listed("items", items)
    body = {
        "items": sent,
        "model": model,
        "aggregation": aggregation,
        "threshold": threshold,
        "timeout_s": timeout_s,
        "priority": priority,
        "trace": trace,
        "checks": checks,
        "combine_checks": combine_checks,
        "rewards": rewards,
    }
    return _post("/score", body, "scoring", lambda answer: _aligned(ScoreResponse.from_dict(answer), sent), timeout_s)


def rerank(
    problem: str,
    candidates: Sequence[str | Mapping[str, object]],
    *,
    strategy: Strategy | None = None,
    model: str | None = None,
    outcome_model: str | None = None,
    aggregation: Aggregation | None = None,
    threshold: float | None = None,
    top_n: int | None = None,
    return_documents: bool | None = None,
    tie_seed: int | None = None,
    abstain_below: float | None = None,
    timeout_s: float | None = None,
    priority: Priority | None = None,
) -> Call[Ranking]:
    """`POST /rerank` with one group."""
    body = {
        "problem": problem,
        "candidates": listed("candidates", candidates),
        "strategy": strategy,
        "model": model,
        "outcome_model": outcome_model,
        "aggregation": aggregation,
        "threshold": threshold,
        "top_n": top_n,
        "return_documents": return_documents,
        "tie_seed": tie_seed,
        "abstain_below": abstain_below,
        "timeout_s": timeout_s,
        "priority": priority,
    }
    return _post("/rerank", body, "scoring", single_ranking, timeout_s)


def rerank_groups(
    groups: Sequence[Mapping[str, object]],
    *,
    strategy: Strategy | None = None,
    model: str | None = None,
    outcome_model: str | None = None,
    aggregation: Aggregation | None = None,
    threshold: float | None = None,
    top_n: int | None = None,
    return_documents: bool | None = None,
    tie_seed: int | None = None,
    abstain_below: float | None = None,
    timeout_s: float | None = None,
    priority: Priority | None = None,
) -> Call[list[Ranking | ItemFailure]]:
    """`POST /rerank` with `items`."""
    sent = listed("groups", groups)
    body = {
        "items": sent,
        "strategy": strategy,
        "model": model,
        "outcome_model": outcome_model,
        "aggregation": aggregation,
        "threshold": threshold,
        "top_n": top_n,
        "return_documents": return_documents,
        "tie_seed": tie_seed,
        "abstain_below": abstain_below,
        "timeout_s": timeout_s,
        "priority": priority,
    }

    def parse(answer: object) -> list[Ranking | ItemFailure]:
        rankings = ranking_groups(answer)
        if len(rankings) != len(sent):
            raise BadResponse(f"response.groups has {len(rankings)} entries for {len(sent)} groups")
        return rankings

    return _post("/rerank", body, "scoring", parse, timeout_s)


def sample(
    problem_or_messages: str | Messages,
    *,
    beginning: str | None = None,
    n: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    max_tokens: int | None = None,
    stop: Sequence[str] | None = None,
    seed: int | None = None,
    logprobs: bool | None = None,
    generator: str | None = None,
) -> Call[SampleResponse]:
    """`POST /sample`."""
    body = {
        **_prompt(problem_or_messages),
        "beginning": beginning,
        "generator": generator,
        "n": n,
        "temperature": temperature,
        "top_p": top_p,
        "top_k": top_k,
        "max_tokens": max_tokens,
        "stop": stop,
        "seed": seed,
        "logprobs": logprobs,
    }
    return _post("/sample", body, "sampling", SampleResponse.from_dict)


def best_of_n(
    problem_or_messages: str | Messages,
    *,
    sampling: Mapping[str, object] | None = None,
    ranking: Mapping[str, object] | None = None,
    early_stop: EarlyStop | Mapping[str, object] | None = None,
) -> Call[BestOfN]:
    """`POST /best_of_n`, not streamed."""
    body = {**_prompt(problem_or_messages), "sampling": sampling, "ranking": ranking, "early_stop": early_stop}
    return _post("/best_of_n", body, "sampling", BestOfN.from_dict)


def best_of_n_stream(
    problem_or_messages: str | Messages,
    *,
    sampling: Mapping[str, object] | None = None,
    ranking: Mapping[str, object] | None = None,
    early_stop: EarlyStop | Mapping[str, object] | None = None,
) -> Call[NoReturn]:
    """`POST /best_of_n`, streamed: only a refusal is read as a whole, the events are a `BestOfNReader`'s."""
    prompt = _prompt(problem_or_messages)
    body = {**prompt, "sampling": sampling, "ranking": ranking, "early_stop": early_stop, "stream": True}
    accept = "text/event-stream, application/json"
    affinity = affinity_of(prompt)
    return Call("POST", "/best_of_n", encode(body), "sampling", raise_for_status, accept=accept, affinity=affinity)


def select(
    items: Sequence[Mapping[str, object]],
    *,
    top_k: int,
    wrong_fraction: float | None = None,
    model: str | None = None,
    aggregation: Aggregation | None = None,
    timeout_s: float | None = None,
    priority: Priority | None = None,
) -> Call[SelectResponse]:
    """`POST /select`."""
    sent = listed("items", items)
    body = {
        "items": sent,
        "top_k": top_k,
        "wrong_fraction": wrong_fraction,
        "model": model,
        "aggregation": aggregation,
        "timeout_s": timeout_s,
        "priority": priority,
    }

    def parse(answer: object) -> SelectResponse:
        response = SelectResponse.from_dict(answer)
        _check_places(response.results, len(sent))
        return response

    return _post("/select", body, "scoring", parse, timeout_s)


def models() -> Call[ModelCatalog]:
    """`GET /v1/models`."""
    return Call("GET", "/v1/models", None, "scoring", json_reader(ModelCatalog.from_dict))


def reload(model: str) -> Call[Reloaded]:
    """`POST /admin/models/{name}/reload`."""
    return Call("POST", f"/admin/models/{quote(model)}/reload", None, "scoring", json_reader(Reloaded.from_dict))


def health() -> Call[bool]:
    """`GET /health`."""
    return Call("GET", "/health", None, "probe", lambda reply: reply.succeeded)


def ready() -> Call[ReadyState]:
    """`GET /ready`."""
    return Call("GET", "/ready", None, "probe", _read_ready)


def _post(
    path: str, body: Mapping[str, object], cost: Cost, parse: Callable[[object], T], timeout_s: float | None = None
) -> Call[T]:
    affinity = affinity_of(body.get("items") or body)
    return Call("POST", path, encode(body), cost, json_reader(parse), timeout_s, affinity=affinity)


def _prompt(problem_or_messages: str | Messages) -> dict[str, object]:
    if isinstance(problem_or_messages, str):
        return {"problem": problem_or_messages}
    return {"messages": listed("messages", problem_or_messages)}


def _read_ready(reply: Reply) -> ReadyState:
    """A server that is not ready says so with 503 and the same body; any other 503 is an error."""
    if reply.succeeded:
        return ReadyState.from_dict(decoded(reply))
    if reply.status != 503:
        raise_for_status(reply)
    try:
        return ReadyState.from_dict(decoded(reply))
    except BadResponse:
        raise server_error(reply) from None


def _aligned(response: ScoreResponse, sent: Sequence[ScoreItem | Mapping[str, object]]) -> ScoreResponse:
    """The response if each result stands in its item's place with a score per given step, else `BadResponse`.

    A reward that slipped to the neighbour would spoil training without a trace.
    """
    _check_places(response.results, len(sent))
    for item, result in zip(sent, response.results, strict=True):
        steps = item.steps if isinstance(item, ScoreItem) else item.get("steps")
        if not isinstance(steps, Sequence) or not isinstance(result, ItemResult) or result.kind != "process":
            continue
        if len(result.steps) != len(steps):
            raise BadResponse(f"response.results[{result.index}].steps has {len(result.steps)} of {len(steps)} scores")
    return response


def _check_places(results: Sequence[ItemResult | ItemSelection | ItemFailure], num_items: int) -> None:
    if [result.index for result in results] != list(range(num_items)):
        raise BadResponse(f"response.results must have the indices 0 to {num_items - 1} in order")
