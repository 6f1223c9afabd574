"""`POST /v1/chat/completions`: best of N for whoever speaks OpenAI's protocol."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from surefoot.api.disconnect import while_connected
from surefoot.api.errors import error_responses
from surefoot.api.event_stream import EventStream
from surefoot.api.routes.best_of_n import STREAM_CONTENT, BestOfNCall, check_call
from surefoot.api.schemas.chat import ChatRequest
from surefoot.api.schemas.chat_completion import ChatCompletion, choice_views, selection_view, usage_view
from surefoot.api.service import Generator, RequestIdent, Service, Serving
from surefoot.best_of_n import BestOfN, Finished
from surefoot.errors import (
    AggregationNotDefined,
    GeneratorNotFound,
    ItemError,
    QueueFull,
    RequestTimeout,
    SamplerUnavailable,
)

router = APIRouter(tags=["sampling"])
_RESPONSES = {
    200: {"content": STREAM_CONTENT},
    **error_responses(AggregationNotDefined, GeneratorNotFound, QueueFull, RequestTimeout),
}
_NAMES_OF_THE_FIRST = {"default", "surefoot"}
"""What clients that must name a model may say for the first generator."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """Tells what is found as OpenAI's servers would."""

    call: BestOfNCall
    body: ChatRequest
    created: int

    def completion(self, found: BestOfN) -> dict[str, Any]:
        """The whole answer. Raises the first candidate's error where none could be scored: an unscored text must not
        pass for the best one."""
        answer = self.call.result(found)
        choices = choice_views(answer, self.body.n)
        if not choices:
            raise _first_error(found)
        return {
            **self._head("chat.completion"),
            "choices": choices,
            "usage": usage_view(answer),
            "surefoot": selection_view(answer),
        }

    def beginning(self) -> str:
        """The first chunk: an answer is under way."""
        return self._chunk([_delta(0, {"role": "assistant", "content": ""})])

    async def following(self) -> AsyncGenerator[str, None]:
        """The chunks of all choices once they are known, and the mark of the end."""
        async with aclosing(self.call.events()) as events:
            async for event in events:
                if isinstance(event, Finished):
                    for chunk in self._chunks(self.completion(event.result)):
                        yield chunk
        yield "[DONE]"

    def _chunks(self, completion: dict[str, Any]) -> Iterator[str]:
        choices = completion["choices"]
        for choice in choices:
            index, is_last = choice["index"], choice is choices[-1]
            role = {"role": "assistant"} if index > 0 else {}
            yield self._chunk([_delta(index, {**role, "content": choice["message"]["content"]})])
            end = {**_delta(index, {}, choice["finish_reason"]), "surefoot": choice["surefoot"]}
            yield self._chunk([end], **({"surefoot": completion["surefoot"]} if is_last else {}))
        if self.body.stream_options.include_usage:
            yield self._chunk([], usage=completion["usage"])

    def _chunk(self, choices: list[dict[str, Any]], **further: Any) -> str:
        return json.dumps({**self._head("chat.completion.chunk"), "choices": choices, **further})

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.call.request_id}",
            "object": kind,
            "created": self.created,
            "model": self.call.generator.name,
            "system_fingerprint": self.call.generator.sampler.fingerprint,
        }


@router.post(
    "/v1/chat/completions",
    response_model=ChatCompletion,
    response_model_exclude_unset=True,
    responses=_RESPONSES,
    summary="The best of N as OpenAI's clients ask for it",
)
async def chat_completions(
    body: ChatRequest, request: Request, response: Response, service: Serving, request_id: RequestIdent
) -> Any:
    """Draws `n_candidates`, ranks them, and answers with the best as the choice; its scores stand under `surefoot`."""
    native = body.to_best_of_n()
    service.check_samples(native.sampling.n, "n_candidates")
    call = check_call(service, native, _generator(service, body.model), request_id)
    reply = _Reply(call, body, int(time.time()))
    if body.stream:
        return await _stream(request, reply)
    return reply.completion(await call.find(request, response))


async def _stream(request: Request, reply: _Reply) -> EventStream[str]:
    """The stream, begun before anything is drawn: a generator that is down, or cannot read the conversation, is still
    told by the status."""
    service, task = reply.call.service, reply.call.task
    timeout_s = service.limits.request_timeout_s
    try:
        await while_connected(request, task.sampler.encode_prompt(task.conversation), timeout_s=timeout_s)
    except SamplerUnavailable:
        service.telemetry.sampler_failed(task.generator)
        raise
    except QueueFull as refusal:
        service.telemetry.admission_refused(task.generator, refusal.code)
        raise
    return EventStream(
        reply.beginning(),
        reply.following(),
        lambda chunk: (None, chunk),
        timeout_s=timeout_s,
        count_error=service.telemetry.error,
        error_name=None,
    )


def _generator(service: Service, model: str | None) -> Generator:
    """The generator of that name, or whose policy has it. Raises `GeneratorNotFound`."""
    if model is None or model in service.generators:
        return service.generator(model)
    if model in _NAMES_OF_THE_FIRST:
        return service.generator(None)
    of_policy = (generator for generator in service.generators.values() if generator.model == model)
    return next(of_policy, None) or service.generator(model, param="model")


def _first_error(found: BestOfN) -> Exception:
    (group,) = found.ranking.groups
    errors = [group] if isinstance(group, ItemError) else group.errors
    return next((error for error in errors if error is not None), SamplerUnavailable("the generator drew nothing"))


def _delta(index: int, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish_reason}
