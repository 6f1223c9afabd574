"""Every published family's served scores equal the golden values that its formula gave, on odd inputs, in one batch.

The values are made by golden.py, which shares no code with the service.
"""

from __future__ import annotations

import pytest

from surefoot.domain import SolutionScore
from surefoot.errors import InputTooLong
from surefoot.profiles import builtin_names, load_profile
from tiny_models import PUBLISHED, checkpoint_hash

TOLERANCE = 1e-5
WITHOUT_GOLDEN_VALUES = {
    # Held against a formula on the running model instead: test_families.py.
    "embedded-prm",
    "embedded-orm",
    # It generates text, which tiny random models do not.
    "thinkprm",
}


def test_every_builtin_profile_has_golden_values(golden) -> None:
    assert set(golden) == set(builtin_names()) - WITHOUT_GOLDEN_VALUES


@pytest.mark.parametrize("family", PUBLISHED)
def test_the_golden_values_are_those_of_this_checkpoint(tiny, golden, family: str) -> None:
    assert checkpoint_hash(tiny(family)) == golden[family]["checkpoint"], "run: python tests/parity/golden.py"


def assert_golden(score: SolutionScore, expected: dict) -> None:
    assert score.num_tokens == expected["num_tokens"]
    values = [step.score for step in score.steps] or [score.score]
    assert values == pytest.approx(expected["scores"], abs=TOLERANCE)
    assert score.score == pytest.approx(expected["solution"], abs=TOLERANCE)


@pytest.mark.parametrize("family", PUBLISHED)
async def test_served_scores_are_the_golden_values(serve, family_model, odd_tasks, golden, family: str) -> None:
    served = await serve({"m": family_model(family)})
    scores = await served.scores("m", list(odd_tasks.values()))
    assert served.telemetry.batch_sizes == [len(odd_tasks)]
    for name, score in zip(odd_tasks, scores, strict=True):
        assert_golden(score, golden[family]["tasks"][name])


@pytest.mark.parametrize("family", PUBLISHED)
async def test_an_input_of_exactly_the_limit_is_scored_and_a_longer_one_is_not(
    serve, family_model, odd_tasks, golden, family: str
) -> None:
    expected = golden[family]["tasks"]
    by_length = sorted(expected, key=lambda name: expected[name]["num_tokens"])
    fits, too_long = by_length[-2:]
    served = await serve({"m": family_model(family)}, max_input_tokens=expected[fits]["num_tokens"])
    score, error = (await served.group("m", [odd_tasks[fits], odd_tasks[too_long]])).results
    assert_golden(score, expected[fits])
    assert isinstance(error, InputTooLong)


@pytest.mark.parametrize("family", [name for name in PUBLISHED if load_profile(name).scale != "unbounded"])
async def test_scores_that_underflow_stay_with_their_steps(serve, family_model, odd_tasks, golden, family: str) -> None:
    """Values are gathered by place: where they are told by not being zero, those behind a zero move."""
    expected = golden[family]["saturated"]
    assert any(score in (0.0, -1.0) for task in expected.values() for score in task["scores"])
    served = await serve({"m": family_model(family, head_scale=2000.0)})
    scores = await served.scores("m", [odd_tasks[name] for name in expected])
    for name, score in zip(expected, scores, strict=True):
        values = [step.score for step in score.steps] or [score.score]
        assert values == pytest.approx(expected[name]["scores"], abs=TOLERANCE)
