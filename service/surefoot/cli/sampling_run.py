"""What verbs that sample training data share: their options, a service that samples only, and the file of draws."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from surefoot.cli.best_of_n import blames_problem
from surefoot.cli.jsonl_command import FileRun, Prepared
from surefoot.cli.jsonl_run import Failure, Outcome, RowShape, Tally
from surefoot.cli.row_file import read_file
from surefoot.cli.service import FOR_FILES, Build, connect, in_process
from surefoot.domain import FinishReason, Message, Prompt, SampledCandidate, SamplerState, SamplingOptions
from surefoot.settings import load_settings
from surefoot_client import AsyncSurefootClient, SampleResponse, ServerError

RowsOutput = Annotated[
    Path,
    typer.Option("-o", "--output", metavar="FILE.jsonl", help="The rows; what was drawn is kept in FILE.drawn.jsonl."),
]
TemperatureOption = Annotated[float, typer.Option(min=0.0, help="Sampling temperature; 0 draws one candidate only.")]
MaxTokensOption = Annotated[int, typer.Option(min=1, help="Tokens of each candidate at most.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Makes the candidates repeatable.")]
GeneratorOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="A configured generator; default: the first one.")
]
SamplingConcurrency = Annotated[int, typer.Option(min=1, help="Requests at a time.")]

Read = TypeVar("Read")
Draw = Callable[[AsyncSurefootClient, Mapping[str, Any]], Any]
"""From a row to what is drawn for it, an awaitable of a mapping."""

_PROBE = "What is 2 + 3?"


@dataclass(frozen=True, slots=True)
class Drawing:
    """How candidates are drawn, and by which generator, the first one if it is not named."""

    n: int
    temperature: float
    max_tokens: int
    seed: int
    generator: str | None = None

    def options(self, seed: int) -> SamplingOptions:
        """As a sampler takes them, for one row of the run."""
        return SamplingOptions(self.n, self.temperature, 1.0, None, self.max_tokens, seed=seed)


@dataclass(frozen=True, slots=True)
class DrawnFile:
    """A run that draws for each row of `source` into a file beside `output`, in which it is resumed."""

    source: Path
    output: Path
    drawing: Drawing
    concurrency: int
    overwrite: bool
    retry_failed: bool

    @property
    def path(self) -> Path:
        """Where the draws are kept."""
        return self.output.with_suffix(".drawn.jsonl")

    def complete(
        self,
        console: Console,
        shape: RowShape,
        client: Callable[[], AbstractAsyncContextManager[AsyncSurefootClient]],
        draw: Draw,
        depends_on: Mapping[str, object],
    ) -> dict[str, Any]:
        """Draw what is not there yet; the run's summary. Raises `typer.BadParameter` for files that cannot be used."""
        if "-" in (str(self.source), str(self.output)) or self.output.is_dir():
            raise typer.BadParameter("rows are read from a file and written into a file", param_hint="-o")
        if self.output.exists() and self.source.exists() and self.output.samefile(self.source):
            raise typer.BadParameter("it is the input itself", param_hint="-o")

        async def prepare(client: AsyncSurefootClient) -> Prepared:
            async def work(items: Sequence[Mapping[str, Any]]) -> list[Outcome]:
                return [await _drawn(partial(draw, client), item) for item in items]

            found = await _drawn_from(client, self.drawing.generator)
            return Prepared(work, {"drawing": asdict(self.drawing), **found, **depends_on})

        options = (self.overwrite, self.retry_failed, False, 1, self.concurrency)
        return FileRun(self.source, self.path, *options, shape, client, prepare).complete(console)

    def rows(self, read: Callable[[Mapping[str, Any]], Read]) -> Iterator[tuple[int, Read, Mapping[str, Any]]]:
        """Line by line what `read` makes of a row and what was drawn for it; rows that failed are left out."""
        with self.path.open(encoding="utf-8") as written:
            drawn = {row["line"]: row["result"] for row in map(json.loads, written) if "result" in row}
        for line, found in read_file(self.source.name, self.source, read, Tally(), lambda: None):
            if line in drawn:
                yield line, found, drawn[line]


class ServedSampler:
    """The generator of a server as a `Sampler`: prompts are encoded where candidates are drawn.

    A lone user turn is sent as a problem, which the server sets behind the generator's own preface.
    """

    def __init__(self, client: AsyncSurefootClient, generator: str | None) -> None:
        self._client = client
        self._generator = generator

    @property
    def fingerprint(self) -> str | None:
        return None

    def state(self) -> SamplerState:
        return SamplerState(self._generator or "default", "surefoot", "ready")

    async def start(self) -> None: ...

    async def encode_prompt(self, messages: Sequence[Message], *, beginning: str = "") -> Prompt:
        return Prompt(tuple(messages), beginning=beginning)

    async def sample(self, prompt: Prompt, options: SamplingOptions) -> AsyncIterator[SampledCandidate]:
        found = await drawn(self._client, _asked(prompt), options, self._generator, beginning=prompt.beginning or None)
        for candidate in found.candidates:
            reason: FinishReason = "stop" if candidate.finish_reason == "stop" else "length"
            yield SampledCandidate(candidate.index, candidate.text, candidate.token_ids, reason, None)

    async def close(self) -> None: ...


async def drawn(
    client: AsyncSurefootClient,
    problem_or_messages: str | list[dict[str, Any]],
    options: SamplingOptions,
    generator: str | None,
    *,
    beginning: str | None = None,
) -> SampleResponse:
    """The answer of `POST /sample`."""
    return await client.sample(
        problem_or_messages,
        beginning=beginning,
        n=options.n,
        temperature=options.temperature,
        top_p=options.top_p,
        max_tokens=options.max_tokens,
        seed=options.seed,
        generator=generator,
    )


def _asked(prompt: Prompt) -> str | list[dict[str, Any]]:
    match prompt.messages:
        case (Message("user", problem),):
            return problem
        case messages:
            return [asdict(message) for message in messages]


def sampling_service(
    url: str | None, config: Path | None, build: Build
) -> AbstractAsyncContextManager[AsyncSurefootClient]:
    """A client of the server at `url`, or of a service in this process that has generators and no reward models."""
    if url is not None:
        return connect(url, None, build, patience=FOR_FILES)
    settings = load_settings(config)
    # Nobody else waits here, and an engine that draws for one request after the other lets the last ones wait long.
    limits = settings.limits.model_copy(update={"request_timeout_s": FOR_FILES.sampling_timeout_s})
    return in_process(settings.model_copy(update={"models": [], "limits": limits}), build, FOR_FILES)


async def _drawn(draw: Callable[[Mapping[str, Any]], Any], item: Mapping[str, Any]) -> Outcome:
    try:
        found: Mapping[str, object] = await draw(item)
    except ServerError as error:
        if not blames_problem(error):
            raise
        return Failure(error.code, error.message)
    return found


async def _drawn_from(client: AsyncSurefootClient, generator: str | None) -> dict[str, object]:
    """What draws depend on beside their options: the weights, the engine and the turns before a problem.

    One token is drawn for it, because an engine can name its weights once it has loaded them.
    """
    probe = await client.sample(_PROBE, n=1, max_tokens=1, seed=0, generator=generator)
    prompt = hashlib.sha256(json.dumps(probe.prompt_token_ids).encode()).hexdigest()[:16]
    return {"generator": [probe.generator, probe.fingerprint], "prompt": prompt}
