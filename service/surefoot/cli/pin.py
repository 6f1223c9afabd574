"""`surefoot models pin`: a profile with the scores that a checkpoint must give."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from surefoot.cli.consoles import harmless, print_json, progress_console
from surefoot.cli.failures import FileFailed
from surefoot.cli.serve import ConfigOption
from surefoot.domain import ScoreTask
from surefoot.errors import SelfCheckFailed
from surefoot.ports import SilentTelemetry
from surefoot.profiles import Golden, Profile, keeps_comments, parse_profile, pinned_text, profile_text
from surefoot.registry import ServedModel
from surefoot.self_check import PROBES, SelfCheck, served_scores
from surefoot.settings import ModelSettings, Settings, load_settings

Advance = Callable[[], None]
"""Called after each solution."""

_DIGITS = 9
"""Significant ones of a pinned score: beyond what fp32 holds."""


def pin(
    model: Annotated[str, typer.Option(help="A checkpoint directory, `embedded`, or `hub:owner/name`.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.toml", help="The profile to write.")],
    profile: Annotated[
        str, typer.Option(help="A built-in profile, or a path ending in .toml; auto looks at the checkpoint.")
    ] = "auto",
    reference: Annotated[
        str | None, typer.Option(help="The reference model of a log-ratio profile; as --model.")
    ] = None,
    problems: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help='Rows {"problem", "steps"} to pin, instead of the built-in probes.'),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help="pickle_weights or remote_code: what a checkpoint may need, and is refused otherwise."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over OUT.toml.")] = False,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score some solutions in fp32 with transformers, and write the profile with these scores as golden values.

    Whoever serves the checkpoint with that profile has it checked at start, before /ready answers 200: the same
    checkpoint through vLLM, on several GPUs, in bf16 or after an upgrade must give these scores again, within the
    profile's tolerance (in half precision `across_dtypes`). Backends that cannot be checked in any other way are
    `unverified` without such values.

    Pin once, where the model fits in fp32:

    `surefoot models pin --model ./my-prm --profile trl-prm -o my-prm.toml`

    then set `profile = "my-prm.toml"` in the configuration. Before anything is written the scores are held against a
    plain forward pass, each solution alone.
    """
    if output.suffix != ".toml":
        raise typer.BadParameter("must end in .toml, as every path of a profile", param_hint="--output")
    if output.exists() and not force:
        raise typer.BadParameter(f"{output} exists; --force writes over it", param_hint="--output")
    tasks = PROBES if problems is None else read_problems(problems)
    wanted = _settings_of(model, profile, reference, allow or [])
    with _shown_progress(len(tasks)) as advance:
        pinned = asyncio.run(_pinned(wanted, load_settings(config), tasks, advance))
    try:
        output.write_text(pinned.text, encoding="utf-8")
    except OSError as cause:
        raise FileFailed(f"{output} cannot be written: {cause.strerror}", param="--output") from cause
    summary = {"path": str(output), **pinned.summary()}
    _show(summary, as_json=as_json)


def _settings_of(model: str, profile: str, reference: str | None, allow: list[str]) -> ModelSettings:
    fields = {"name": "pinned", "profile": profile, "path": model, "reference_path": reference, "dtype": "float32"}
    try:
        return ModelSettings.model_validate({**fields, "allow": allow})
    except ValueError as cause:
        raise typer.BadParameter("choose pickle_weights or remote_code", param_hint="--allow") from cause


@dataclass(frozen=True, slots=True)
class Pinned:
    """A profile's text with golden values, and how they were checked."""

    profile: Profile
    text: str
    keeps_comments: bool
    self_check: SelfCheck

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "profile": self.profile.name,
            "num_solutions": len(self.profile.golden),
            "num_scores": sum(len(golden.scores) for golden in self.profile.golden),
            "keeps_comments": self.keeps_comments,
            "self_check": asdict(self.self_check),
        }


def read_problems(path: Path) -> dict[str, ScoreTask]:
    """Tasks by the place of their line. Raises `FileFailed`, which names the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise FileFailed(f"{path} cannot be read as UTF-8 text", param="--problems") from cause
    tasks = {f"line {number}": _task_of(line, path, number) for number, line in enumerate(lines, 1) if line.strip()}
    if not tasks:
        raise FileFailed(f"{path} has no rows", param="--problems")
    return tasks


def _task_of(line: str, path: Path, number: int) -> ScoreTask:
    try:
        row = json.loads(line)
        problem, steps = row["problem"], row["steps"]
    except (ValueError, KeyError, TypeError) as cause:
        raise FileFailed(f'{path}, line {number}: want {{"problem": text, "steps": [text]}}') from cause
    if not isinstance(problem, str) or not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise FileFailed(f"{path}, line {number}: problem must be a text, and steps a list of texts")
    return ScoreTask(problem, steps=tuple(steps))


async def _pinned(model: ModelSettings, settings: Settings, tasks: Mapping[str, ScoreTask], advance: Advance) -> Pinned:
    from surefoot.wiring.detection import profile_of
    from surefoot.wiring.models import ModelLoader

    profile = await asyncio.to_thread(profile_of, model, settings)
    source = profile_text(profile.name if model.detects_profile else model.profile)
    # Golden values that the source has may be those of another checkpoint.
    bare = profile.model_copy(update={"golden": ()})
    served = await ModelLoader(settings, SilentTelemetry()).load(model, bare)
    try:
        self_check = await served.prove()
        golden = await _golden(served, tasks, advance)
    finally:
        await served.close()
    text = pinned_text(source, golden)
    return Pinned(parse_profile(text, model.profile), text, keeps_comments(source, text), self_check)


async def _golden(served: ServedModel, tasks: Mapping[str, ScoreTask], advance: Advance) -> list[Golden]:
    """The scores of each task alone. Probes that are longer than the model reads are left out, a user's own refused."""
    golden: list[Golden] = []
    for name, task in tasks.items():
        scores = (await served_scores(served.line, {name: task})).get(name)
        if scores is not None:
            rounded = tuple(float(f"{score:.{_DIGITS}g}") for score in scores)
            golden.append(Golden(problem=task.problem, steps=task.steps or (), scores=rounded))
        elif tasks is not PROBES:
            raise SelfCheckFailed(f"{name} is longer than the {served.line.max_input_tokens} tokens that are read")
        advance()
    if not golden:
        raise SelfCheckFailed(
            f"no probe fits into the {served.line.max_input_tokens} tokens that are read; give --problems",
            param="max_input_tokens",
        )
    return golden


@contextmanager
def _shown_progress(total: int) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=progress_console(), transient=True) as bar:
        task = bar.add_task("loading the model", total=total)

        def advance() -> None:
            bar.update(task, advance=1, description="scoring in fp32")

        yield advance


def _show(summary: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(summary, indent=2)
    else:
        typer.echo(harmless(_sentence(summary)))


def _sentence(summary: Mapping[str, Any]) -> str:
    check = summary["self_check"]
    proof = (
        f"the largest difference from a plain forward pass is {check['max_difference']:.1g}"
        if check["state"] == "passed"
        else check["detail"]
    )
    kept = "" if summary["keeps_comments"] else "\nComments of the source are not in it."
    return (
        f"{summary['path']}: {summary['num_scores']} scores of {summary['num_solutions']} solutions in profile "
        f"{summary['profile']}; {proof}.{kept}"
    )
