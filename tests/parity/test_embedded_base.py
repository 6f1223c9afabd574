"""The embedded base model itself: served scores equal a plain unbatched forward pass, alone and among 32.

Run with `-s` to see the largest differences that were measured.
"""

from collections.abc import Sequence

import pytest
import torch

from surefoot.domain import ScoreTask, SolutionScore
from surefoot.embedded.base_model import prepare_base
from surefoot.settings import Settings

TOLERANCES = {"float32": 1e-5, "bfloat16": 5e-3}
NUM_COMPARED = 12
"""Inputs that the plain forward pass reads too; all 32 would only take longer."""


@pytest.fixture(scope="module")
def base_directory():
    return prepare_base(Settings().cache)


@pytest.fixture(scope="module")
def tasks(problems) -> list[ScoreTask]:
    return problems(32, most_steps=2)


def flat(scores: Sequence[SolutionScore]) -> list[float]:
    return [step.score for score in scores for step in score.steps]


@pytest.mark.parametrize("dtype", TOLERANCES)
async def test_alone_among_32_and_plain_forward_agree(
    base_directory, serve, reference, tasks, difference, dtype: str
) -> None:
    served = await serve({"prm": ("embedded-prm", base_directory)}, dtype=dtype)
    together = await served.scores("prm", tasks)
    assert served.telemetry.batch_sizes == [len(tasks)]
    alone = [(await served.scores("prm", [task]))[0] for task in tasks]
    formula = reference(base_directory, dtype=getattr(torch, dtype))
    plain = [score for task in tasks[:NUM_COMPARED] for score in formula.embedded_prm(task).scores]
    measured = {
        "alone - among 32": difference(flat(alone), flat(together)),
        "among 32 - plain": difference(flat(together[:NUM_COMPARED]), plain),
        "alone - plain": difference(flat(alone[:NUM_COMPARED]), plain),
    }
    print(f"\n{dtype}: " + ", ".join(f"{name} {value:.2e}" for name, value in measured.items()))
    assert max(measured.values()) <= TOLERANCES[dtype], measured
    assert max(plain) - min(plain) > 100 * TOLERANCES["float32"]
