"""The recipe of the shipped adapters as the commands that it is made of. Pure: nothing is run here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Size = Literal["small", "full"]

TEST_ROWS = 300
VALIDATION_ROWS = 200
FORM_ROWS = 2_400
"""Of these the generator learns the right half: enough for the form."""


@dataclass(frozen=True, slots=True)
class RecipeOptions:
    """What is asked for. `test` holds the problems to report on, GSM8K's rows; none is trained on, nor is one of
    `exclude`. `size` is what there is time for: `small` some hours on two cores, `full` a GPU."""

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
    it can be resumed."""

    what: str
    command: tuple[str, ...]
    makes: Path
    unfinished: Path | None = None

    @property
    def can_be_resumed(self) -> bool:
        return self.unfinished is not None and self.unfinished.exists()

    @property
    def is_done(self) -> bool:
        return self.makes.exists() and not self.can_be_resumed


@dataclass(frozen=True, slots=True)
class _Amounts:
    gsm8k_rows: int | None
    family: int
    family_rows: int | None
    training: tuple[str, ...]
    epochs: int


_AMOUNTS: dict[Size, _Amounts] = {
    # Ten of thirty layers train at twice the speed, and more rows gave more than a second epoch.
    "small": _Amounts(10_000, 4_000, 6_000, ("--top-layers", "10", "--batch-tokens", "1024"), 1),
    "full": _Amounts(None, 8_000, None, ("--batch-tokens", "8192"), 2),
}


def recipe_steps(options: RecipeOptions) -> Iterator[Step]:
    """Every command in its order; each reads what those before it made."""
    yield from _data_steps(options)
    yield from _training_steps(options)
    yield _report_step(options)


def _data_steps(options: RecipeOptions) -> Iterator[Step]:
    amounts, out = _AMOUNTS[options.size], options.output
    for split, count in (("train", amounts.family), ("validation", VALIDATION_ROWS), ("test", TEST_ROWS)):
        path = _problems(options, split)
        command = ("train", "problems", "--split", split, "--count", str(count), "-o", str(path), *_seed(options))
        yield Step(f"word problems of the family, {split}", command, path)
    apart = [*options.exclude, options.test, str(_problems(options, "test")), str(_problems(options, "validation"))]
    excluded = [word for name in apart for word in ("--exclude", name)]
    rows = [] if amounts.gsm8k_rows is None else ["--rows", str(amounts.gsm8k_rows)]
    yield _data(options, "GSM8K, right and wrong", "gsm8k", "--gsm8k", options.gsm8k, *excluded, *rows, validation=0.05)
    rows = [] if amounts.family_rows is None else ["--rows", str(amounts.family_rows)]
    family = str(_problems(options, "train"))
    yield _data(options, "the family, right and wrong", "family", "--gsm8k", family, *excluded, *rows)
    held_out = str(_problems(options, "validation"))
    yield _data(options, "the family, to validate on", "held_out", "--gsm8k", held_out)
    both = ("--labelled", str(_rows(out, "gsm8k")), "--labelled", str(_rows(out, "family")))
    yield _data(options, "both together", "both", *both)
    yield _data(options, "some of them, for the form", "form", *both, "--rows", str(FORM_ROWS))
    apart = [str(out / "gsm8k" / "validation.jsonl"), str(_rows(out, "held_out"))]
    held = [word for name in apart for word in ("--labelled", name)]
    yield _data(options, "both together, to validate on", "validation", *held, "--rows", str(VALIDATION_ROWS))
    yield _data(options, "to report on", "test", "--gsm8k", options.test, "--rows", str(TEST_ROWS))


def _training_steps(options: RecipeOptions) -> Iterator[Step]:
    epochs = ("--epochs", str(_AMOUNTS[options.size].epochs))
    rate = ("--learning-rate", "1e-3") if options.size == "small" else ()
    yield _training(options, "generator", "form", "--epochs", "1", *rate)
    yield _training(options, "prm", "both", *epochs, *rate, "--tail-tokens", "8", "--best-by", "auroc")
    from_prm = ("--start-from", str(options.output / "prm"))
    yield _training(options, "orm", "both", *epochs, *rate, *from_prm, "--best-by", "auroc")


def _report_step(options: RecipeOptions) -> Step:
    out = options.output
    named = [word for role in ("prm", "orm") for word in (f"--{role}", str(out / role))]
    command = ("evaluate", "report", *named, "--labelled", str(_rows(out, "test")), "-o", str(out / "report"))
    base = () if options.base == "embedded" else ("--base", options.base)
    return Step("what they are worth", (*command, *base), out / "report" / "report.md")


def _data(options: RecipeOptions, what: str, name: str, *given: str, validation: float = 0.0) -> Step:
    directory = options.output / name
    split = ("--validation", f"{validation:g}")
    command = ("train", "data", *given, "--per-problem", "2", *split, *_seed(options), "-o", str(directory))
    return Step(f"rows: {what}", command, directory / "report.md")


def _training(options: RecipeOptions, role: str, rows: str, *given: str) -> Step:
    from surefoot.modeling.adapters import FACTS
    from surefoot.training.run_state import FILE_NAME

    directory, amounts = options.output / role, _AMOUNTS[options.size]
    files = (str(_rows(options.output, rows)), "--validation", str(_rows(options.output, "validation")))
    further = (*amounts.training, "--model", options.base, *_seed(options))
    command = ("train", role, *files, "-o", str(directory), *further, *given)
    return Step(f"train the {role}", command, directory / FACTS, directory / FILE_NAME)


def _rows(out: Path, name: str) -> Path:
    return out / name / "train.jsonl"


def _problems(options: RecipeOptions, split: str) -> Path:
    return options.output / "problems" / f"{split}.jsonl"


def _seed(options: RecipeOptions) -> tuple[str, str]:
    return "--seed", str(options.seed)
