"""The recipe of the shipped adapters as the commands that it is made of. Pure: nothing is run here."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Size = Literal["trial", "small", "full"]


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """What is asked for. `test` holds the problems to report on, GSM8K's rows; none is trained on, nor is one of
    `exclude`. `size` is what there is time for: `trial` some minutes, to see that all of it runs, `small` some hours
    on two cores, `full` a GPU."""

    output: Path
    gsm8k: str
    test: str
    exclude: Sequence[str] = ()
    base: str = "embedded"
    size: Size = "small"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """A command, without the program's name, the file that is there once it is done, and the one that is there while
    it can be resumed; `settings` are the service's, by their environment variables."""

    what: str
    command: tuple[str, ...]
    makes: Path
    unfinished: Path | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def can_be_resumed(self) -> bool:
        return self.unfinished is not None and self.unfinished.exists()

    @property
    def is_done(self) -> bool:
        return self.makes.exists() and not self.can_be_resumed

    @property
    def line(self) -> str:
        """As it is typed into a shell."""
        return shlex.join([*(f"{name}={value}" for name, value in self.settings), "surefoot", *self.command])


@dataclass(frozen=True, slots=True)
class _Amounts:
    """Rows and problems; `None` where all are taken. `samples` are problems, and solutions of each."""

    gsm8k_rows: int | None
    family: int
    family_rows: int | None
    form_rows: int | None
    samples: tuple[int, int]
    pools: tuple[int, int]
    report_rows: int
    training: tuple[str, ...]
    epochs: int


_AMOUNTS: dict[Size, _Amounts] = {
    "trial": _Amounts(
        60, 40, 40, 60, (6, 2), (4, 4), 20, ("--top-layers", "2", "--batch-tokens", "512", "--learning-rate", "1e-3"), 1
    ),
    # Ten of thirty layers train at twice the speed, and more rows gave more than a second epoch.
    "small": _Amounts(
        10_000,
        4_000,
        6_000,
        7_000,
        (300, 6),
        (40, 16),
        300,
        ("--top-layers", "10", "--batch-tokens", "1024", "--learning-rate", "1e-3"),
        1,
    ),
    "full": _Amounts(None, 8_000, None, None, (3_000, 8), (200, 32), 600, ("--batch-tokens", "8192"), 2),
}


def recipe_steps(options: RecipeOptions) -> Iterator[Step]:
    """Every command in its order; each reads what those before it made."""
    yield from _problem_steps(options)
    yield from _generator_steps(options)
    yield from _row_steps(options)
    yield from _verifier_steps(options)
    yield from _report_steps(options)


def _problem_steps(options: RecipeOptions) -> Iterator[Step]:
    amounts = _AMOUNTS[options.size]
    wanted: tuple[tuple[str, str, int], ...] = (
        ("train", "train", amounts.family),
        ("sums", "sums", amounts.family // 3),
        ("validation", "validation", amounts.report_rows),
        ("test", "test", max(amounts.pools[0], amounts.report_rows)),
        ("sampled", "train", amounts.samples[0]),
        ("pools", "test", amounts.pools[0]),
    )
    for name, split, count in wanted:
        path = _problems(options, name)
        command = ("train", "problems", "--split", split, "--count", str(count), "-o", str(path), *_seed(options))
        yield Step(f"word problems of the family: {name}", command, path)


def _generator_steps(options: RecipeOptions) -> Iterator[Step]:
    """The form in one style, then the generator, then its own solutions of problems to train on."""
    amounts, out = _AMOUNTS[options.size], options.output
    solved = ("--gsm8k", str(_problems(options, "train")), "--gsm8k", str(_problems(options, "sums")))
    style = ("--wording", "calculations", "--max-steps", "4", "--per-problem", "0")
    apart = _apart(options)
    yield _data(options, "the form", "form", *solved, "--gsm8k", options.gsm8k, *apart, *style, rows=amounts.form_rows)
    held_out = ("--gsm8k", str(_problems(options, "validation")), *style)
    yield _data(options, "the form, to validate on", "form_held_out", *held_out, rows=100)
    yield _training(options, "generator", "form", "form_held_out", "--epochs", "1")
    number = str(amounts.samples[1])
    drawn = ("train", "samples", str(_problems(options, "sampled")), "--n", number, "--only-way")
    yield _sampling(options, "the generator's own solutions", drawn, out / "samples.jsonl")


def _row_steps(options: RecipeOptions) -> Iterator[Step]:
    amounts, out = _AMOUNTS[options.size], options.output
    apart, two = _apart(options), ("--per-problem", "2")
    gsm8k = ("--gsm8k", options.gsm8k, *apart, *two)
    yield _data(options, "GSM8K, right and wrong", "gsm8k", *gsm8k, rows=amounts.gsm8k_rows, validation=0.05)
    family = ("--gsm8k", str(_problems(options, "train")), *apart, *two)
    yield _data(options, "the family, right and wrong", "family", *family, rows=amounts.family_rows)
    held_out = ("--gsm8k", str(_problems(options, "validation")), *two)
    yield _data(options, "the family, to validate on", "held_out", *held_out)
    together = [*(str(_rows(out, name)) for name in ("gsm8k", "family")), str(out / "samples.jsonl")]
    yield _data(options, "all together", "all", *_each("--labelled", together))
    held = [str(out / "gsm8k" / "validation.jsonl"), str(_rows(out, "held_out"))]
    yield _data(options, "all together, to validate on", "validation", *_each("--labelled", held), rows=200)
    tested = ("--gsm8k", options.test, *two)
    yield _data(options, "to report on", "test", *tested, rows=amounts.report_rows)


def _verifier_steps(options: RecipeOptions) -> Iterator[Step]:
    epochs = ("--epochs", str(_AMOUNTS[options.size].epochs), "--best-by", "auroc")
    yield _training(options, "prm", "all", "validation", *epochs, "--tail-tokens", "8")
    from_prm = ("--start-from", str(options.output / "prm"))
    yield _training(options, "orm", "all", "validation", *epochs, *from_prm)


def _report_steps(options: RecipeOptions) -> Iterator[Step]:
    out = options.output
    pools = out / "pools.jsonl"
    number = str(_AMOUNTS[options.size].pools[1])
    drawn = ("train", "samples", str(_problems(options, "pools")), "--n", number, "--as", "pools")
    yield _sampling(options, "pools of the generator's solutions of test problems", drawn, pools)
    named = [word for role in ("prm", "orm") for word in (f"--{role}", str(out / role))]
    read = ("--labelled", str(_rows(out, "test")), "--pools", str(pools))
    command = ("evaluate", "report", *named, *read, "-o", str(out / "report"))
    base = () if options.base == "embedded" else ("--base", options.base)
    yield Step("what they are worth", (*command, *base), out / "report" / "report.md")


def _data(
    options: RecipeOptions, what: str, name: str, *given: str, rows: int | None = None, validation: float = 0.0
) -> Step:
    directory = options.output / name
    fewer = () if rows is None else ("--rows", str(rows))
    split = ("--validation", f"{validation:g}")
    command = ("train", "data", *given, *fewer, *split, *_seed(options), "-o", str(directory))
    return Step(f"rows: {what}", command, directory / "report.md")


def _training(options: RecipeOptions, role: str, rows: str, held_out: str, *given: str) -> Step:
    from surefoot.modeling.adapters import FACTS
    from surefoot.training.run_state import FILE_NAME

    directory, amounts = options.output / role, _AMOUNTS[options.size]
    files = (str(_rows(options.output, rows)), "--validation", str(_rows(options.output, held_out)))
    further = (*amounts.training, "--model", options.base, *_seed(options))
    command = ("train", role, *files, "-o", str(directory), *further, *given)
    return Step(f"train the {role}", command, directory / FACTS, directory / FILE_NAME)


def _sampling(options: RecipeOptions, what: str, command: Sequence[str], path: Path) -> Step:
    """With the new generator: by vLLM where there is a GPU, else by transformers, which applies adapters faster."""
    engine = "auto" if options.size == "full" else "transformers"
    named = {"path": options.base, "adapter": str(options.output / "generator"), "engine": engine}
    settings = tuple((f"SUREFOOT_GENERATOR__{name.upper()}", value) for name, value in named.items())
    drawn = (*command, "-o", str(path), "--temperature", "0.7", "--max-tokens", "128", *_seed(options))
    return Step(what, drawn, path, settings=settings)


def _apart(options: RecipeOptions) -> list[str]:
    """What nobody trains on."""
    held_out = [str(_problems(options, name)) for name in ("test", "validation")]
    return _each("--exclude", [*options.exclude, options.test, *held_out])


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _rows(out: Path, name: str) -> Path:
    return out / name / "train.jsonl"


def _problems(options: RecipeOptions, split: str) -> Path:
    return options.output / "problems" / f"{split}.jsonl"


def _seed(options: RecipeOptions) -> tuple[str, str]:
    return "--seed", str(options.seed)
