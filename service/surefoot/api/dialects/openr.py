"""`POST /openr/get_worker_address` and `/openr/worker_value_inference`, as openr's remote caller asks for step scores.

Its controller's address is `…/openr`; the worker's address, which that names, has the model in its path. An input is
`"{question} {answer}"` as openr's `format_str` makes it, each step ended by the family's tag.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from surefoot.api.dialects.scored import Call, Calling
from surefoot.api.dialects.step_tags import split_at_tags
from surefoot.api.errors import error_responses
from surefoot.api.schemas.common import Request, Response, Text
from surefoot.domain import ScoreTask, SolutionScore
from surefoot.errors import GroupTooLarge, ModelNotFound, QueueFull, RequestTimeout, UnsupportedMessages
from surefoot.profiles import Profile

router = APIRouter(prefix="/openr", tags=["dialects"])
_ERRORS = error_responses(ModelNotFound, QueueFull, GroupTooLarge, RequestTimeout, path="/openr/worker_value_inference")
_BORDER = re.compile(r"&{5}|(?<=\s)(?=Step 1 ?:)")
"""Where an answer begins: behind the mark of openr's Qwen format, or at the first step of Math-Shepherd's."""


class WorkerRequest(Request):
    """Which model's worker is looked for."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{"model": ""}]})

    model: str = Field(description="A name from /v1/models; empty: the first configured model.")


class WorkerResponse(Response):
    """Where the model answers."""

    address: str


class ValueRequest(Request):
    """One input or several; fields that are not listed are ignored."""

    model_config = ConfigDict(extra="ignore")

    input_str: Text | list[Text]

    def to_tasks(self, profile: Profile) -> list[ScoreTask]:
        """All inputs in order. Raises `UnsupportedMessages` where an answer's beginning is not to be found."""
        texts = [self.input_str] if isinstance(self.input_str, str) else self.input_str
        return [_task(profile, text, f"input_str[{index}]") for index, text in enumerate(texts)]


class ValueResponse(Response):
    """Step scores: of one input a list, of several a list of lists. An outcome model has one value."""

    value: list[float] | list[list[float]]


@router.post(
    "/get_worker_address", response_model=WorkerResponse, responses=_ERRORS, summary="Where openr finds a model"
)
async def get_worker_address(body: WorkerRequest, call: Calling) -> dict[str, str]:
    """This service's own address with the model in it."""
    name = call.model(body.model).card.name
    return {"address": f"{call.request.base_url}openr/{quote(name)}"}


@router.post(
    "/worker_value_inference",
    response_model=ValueResponse,
    responses=_ERRORS,
    summary="Step scores as openr reads them",
)
async def value_of_the_first(body: ValueRequest, call: Calling) -> dict[str, Any]:
    """The first configured model's scores of each step."""
    return await _values(body, call, None)


@router.post(
    "/{model:path}/worker_value_inference",
    response_model=ValueResponse,
    responses=_ERRORS,
    summary="Step scores of a model as openr reads them",
)
async def value_of(model: str, body: ValueRequest, call: Calling) -> dict[str, Any]:
    """The named model's scores of each step."""
    return await _values(body, call, model)


async def _values(body: ValueRequest, call: Call, name: str | None) -> dict[str, Any]:
    model = call.model(name)
    tasks = body.to_tasks(model.line.profile)
    values = [_value(score) for score in (await call.score(model, tasks, "input_str")).scores] if tasks else []
    return {"value": values[0] if isinstance(body.input_str, str) else values}


def _value(score: SolutionScore) -> list[float]:
    return [step.score for step in score.steps] if score.kind == "process" else [score.score]


def _task(profile: Profile, text: str, place: str) -> ScoreTask:
    border = _BORDER.search(text)
    if border is None:
        raise UnsupportedMessages(
            f"{place}: where the answer begins cannot be told; have format_str put &&&&& between question and "
            'answer, or begin answers with "Step 1:"',
            param=place,
        )
    problem, solution = text[: border.start()].rstrip(), text[border.end() :].lstrip()
    steps = split_at_tags(profile, solution)
    if steps is None:
        return ScoreTask(problem, solution=solution)
    return ScoreTask(problem, steps=steps, blank_steps=True)
