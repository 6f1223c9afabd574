"""`surefoot train loop` on tiny checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from loop_rows import POOL, VALIDATION

SMALL = ("--rank", "2", "--epochs", "1", "--batch-tokens", "2000", "--learning-rate", "0.005", "--save-every", "1")


@pytest.fixture(autouse=True)
def _on_the_cpu(on_the_cpu) -> None: ...


@pytest.fixture
def file(written) -> Callable[..., Path]:
    """Writes rows into a file and gives its path."""
    return lambda name, rows: written(name, *map(json.dumps, rows))


@pytest.fixture
def loop(program, tiny, tmp_path, file) -> Callable[..., Result]:
    """Runs two rounds of four labels on the pool: `loop("out", "--choose", "uniform")`."""

    def run(out: str, *options: str | Path, source: tuple[str | Path, ...] = (), using=program) -> Result:
        source = source or ("--pool", file("pool.jsonl", POOL), "--labeller", "reference")
        given = ("--validation", file("validation.jsonl", VALIDATION), "--rounds", "2", "--labels", "4")
        return using(
            "train", "loop", "-o", tmp_path / out, *source, *given, *options, "--", "--model", tiny("llama"), *SMALL
        )

    return run
