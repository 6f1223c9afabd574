"""One run of the experiment on tiny random checkpoints, which every test here reads."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from surefoot.cli.main import app

COLOURS = ("red", "blue")


@dataclass
class Experiment:
    """A finished run, and the words that began it."""

    directory: Path
    words: Sequence[str]
    environment: dict[str, str]

    def again(self, directory: Path, *options: str) -> Result:
        """The same into another directory, or the same one; later options win."""
        # Nothing of whoever runs the tests.
        others = dict.fromkeys(name for name in os.environ if name.startswith("SUREFOOT_"))
        runner = CliRunner(env=others | self.environment)
        return runner.invoke(app, ["train", "weak-to-strong", "-o", str(directory), *self.words, *options])

    def rows(self, cell: str, name: str = "predictions.jsonl") -> list[dict[str, Any]]:
        path = self.directory / "cells" / cell / name
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "report.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="session")
def experiment(tiny: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Two seeds of every scheme, from one layer to three; a text is right where it names the right colour."""
    root = tmp_path_factory.mktemp("weak-to-strong")
    rows = [{"text": f"{COLOURS[number % 2]} {number // 2}", "label": number % 2} for number in range(120)]
    source = root / "texts.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    words = ["--model", str(tiny("llama", num_hidden_layers=3)), "--tasks", f"text={source}", "--pairs", "1:3"]
    words += ["--schemes", "naive,confidence,bootstrap,probe,language", "--seeds", "2", "--top-layers", "1"]
    words += ["--train", "24", "--validation", "8", "--test", "16", "--epochs", "3", "--learning-rate", "0.01"]
    words += ["--adapt-tokens", "200", "--batch-items", "8", "--rank", "4", "--evaluations", "3"]
    settings = {"DEVICE": "cpu", "DTYPE": "float32", "THREADS": "1", "CACHE_DIR": str(root)}
    environment = {f"SUREFOOT_{name}": value for name, value in settings.items()}
    found = Experiment(root / "run", words, environment)
    ended = found.again(found.directory)
    assert ended.exit_code == 0, ended.output
    return found
