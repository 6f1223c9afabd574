"""Golden values of every published family: `python tests/parity/golden.py` writes golden.json beside it.

They come from the formulas in golden_formulas.py, which share no code with the service.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers

HERE = Path(__file__).parent
sys.path += [str(HERE.parent), str(HERE)]
from golden_formulas import FORMULAS, Opened  # noqa: E402

from odd_tasks import ODD_TASKS  # noqa: E402
from tiny_models import PUBLISHED, TinyCheckpoints, checkpoint_hash  # noqa: E402

GOLDEN_FILE = HERE / "golden.json"
DIGITS = 9
REFERENCE_SEED = 1
"""Of the second model of the log-ratio families."""
SATURATING = 2000.0
SATURATED_TASKS = ("one step", "three steps", "unicode", "numbered")
LOG_RATIO_FAMILIES = ("eurus-prm", "implicit-prm")
UNBOUNDED_FAMILIES = (
    *LOG_RATIO_FAMILIES,
    *("qwen2.5-math-rm", "internlm2-reward", "openrlhf", "sequence-classification"),
)


def soft_minimum(scores: Sequence[float]) -> float:
    values = torch.tensor(scores, dtype=torch.float64)
    return float(((-values / 0.1).softmax(-1) * values).sum())


SOLUTION: dict[str, Callable[[Sequence[float]], float]] = {
    "qwen2.5-math-prm": math.prod,
    "math-shepherd": min,
    "er-prm": min,
    "rlhflow-prm": lambda scores: sum(scores) / len(scores),
    "skywork-o1-open-prm": lambda scores: scores[-1],
    "trl-prm": math.prod,
    "pure-prm": soft_minimum,
    "prm800k": math.prod,
    "eurus-prm": min,
    "implicit-prm": min,
    "reasoneval-7b": min,
    "reasoneval-34b": min,
}
"""The score of a whole solution, of the families that score steps."""


def golden_values(family: str, tiny: TinyCheckpoints) -> dict[str, Any]:
    """The family's checkpoint by its hash, and for each task the scores, the solution's score and the tokens.

    Saturated scores are those of the same weights with a head so large that probabilities are exactly 0 and 1.
    """
    reference = tiny(family, seed=REFERENCE_SEED) if family in LOG_RATIO_FAMILIES else None
    found = {
        "checkpoint": checkpoint_hash(tiny(family)),
        "tasks": scored(family, Opened(tiny(family), reference), list(ODD_TASKS)),
    }
    if family not in UNBOUNDED_FAMILIES:
        saturated = Opened(tiny(family, head_scale=SATURATING))
        found["saturated"] = scored(family, saturated, SATURATED_TASKS)
    return found


def scored(family: str, model: Opened, names: Sequence[str]) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for name in names:
        scores, num_tokens = FORMULAS[family](model, *ODD_TASKS[name])
        solution = SOLUTION[family](scores) if family in SOLUTION else scores[0]
        tasks[name] = {
            "num_tokens": num_tokens,
            "scores": [round(score, DIGITS) for score in scores],
            "solution": round(solution, DIGITS),
        }
    return tasks


def written(found: dict[str, Any]) -> str:
    """JSON with one task a line."""
    parts = [f' "checkpoint": {json.dumps(found["checkpoint"])}']
    for key in ("tasks", "saturated"):
        if key in found:
            tasks = ",\n".join(f"  {json.dumps(name)}: {json.dumps(task)}" for name, task in found[key].items())
            parts.append(f' "{key}": {{\n{tasks}\n }}')
    return "{\n" + ",\n".join(parts) + "\n}"


def main() -> None:
    transformers.logging.set_verbosity_error()
    # The last digits depend on how sums are split.
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        tiny = TinyCheckpoints(Path(root))
        values = {}
        for family in PUBLISHED:
            values[family] = golden_values(family, tiny)
            print(f"{family}: {len(values[family]['tasks'])} tasks", flush=True)
    lines = [f"{json.dumps(family)}: {written(found)}" for family, found in values.items()]
    GOLDEN_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
