"""Served raw values and scores equal each family's formula on a plain forward pass, within 1e-5 in fp32."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.domain import ScoreTask, SolutionScore
from surefoot.errors import InputTooLong

TOLERANCE = 1e-5
CAUSAL_FAMILIES = ["llama", "qwen2", "mistral", "gemma2", "granite", "cohere"]
THREE_CLASSES = """
name = "three-class-prm"
title = "Three classes"
kind = "process"
scale = "probability"
[rendering]
method = "separated_steps"
[readout]
method = "token_classification"
classes = ["positive", "neutral", "negative"]
"""


def assert_steps_equal(score: SolutionScore, expected) -> None:
    assert score.num_tokens == expected.num_tokens
    assert [step.raw for step in score.steps] == [pytest.approx(row, abs=TOLERANCE) for row in expected.raw]
    assert [step.score for step in score.steps] == pytest.approx(expected.scores, abs=TOLERANCE)


def assert_outcome_equals(score: SolutionScore, expected) -> None:
    assert score.num_tokens == expected.num_tokens
    assert score.raw == pytest.approx(expected.raw[0], abs=TOLERANCE)
    assert score.score == pytest.approx(expected.scores[0], abs=TOLERANCE)


@pytest.fixture
def plain(reference) -> Callable[[Path, str], object]:
    """The reference of a causal family; soft caps exist in eager attention alone."""
    return lambda directory, family: reference(directory, attention="eager" if family == "gemma2" else "sdpa")


@pytest.mark.parametrize("family", CAUSAL_FAMILIES)
async def test_embedded_prm(tiny, serve, plain, problems, family: str) -> None:
    served, formula = await serve({"prm": ("embedded-prm", tiny(family))}), plain(tiny(family), family)
    tasks = problems(4)
    for task, score in zip(tasks, await served.scores("prm", tasks), strict=True):
        assert_steps_equal(score, formula.embedded_prm(task))


@pytest.mark.parametrize("family", CAUSAL_FAMILIES)
async def test_embedded_orm(tiny, serve, plain, problems, family: str) -> None:
    served, formula = await serve({"orm": ("embedded-orm", tiny(family))}), plain(tiny(family), family)
    tasks = problems(4)
    for task, score in zip(tasks, await served.scores("orm", tasks), strict=True):
        assert_outcome_equals(score, formula.embedded_orm(task))


async def test_embedded_prm_on_odd_inputs(tiny, serve, reference, odd_task: ScoreTask) -> None:
    served = await serve({"prm": ("embedded-prm", tiny("llama"))})
    (score,) = await served.scores("prm", [odd_task])
    assert_steps_equal(score, reference(tiny("llama")).embedded_prm(odd_task))


async def test_trl_prm_on_odd_inputs(tiny, serve, reference, odd_task: ScoreTask) -> None:
    directory = tiny("qwen2_tokens")
    served = await serve({"prm": ("trl-prm", directory)})
    (score,) = await served.scores("prm", [odd_task])
    assert_steps_equal(score, reference(directory, "AutoModelForTokenClassification").trl(odd_task))


async def test_three_class_token_classification(tiny, serve, reference, odd_task, tmp_path: Path) -> None:
    profile, directory = tmp_path / "three.toml", tiny("qwen2_tokens", num_labels=3)
    profile.write_text(THREE_CLASSES, encoding="utf-8")
    served = await serve({"prm": (str(profile), directory)})
    (score,) = await served.scores("prm", [odd_task])
    expected = reference(directory, "AutoModelForTokenClassification").trl(odd_task, good_columns=(0, 1))
    assert_steps_equal(score, expected)


async def test_sequence_classification(tiny, serve, reference, problems) -> None:
    directory = tiny("llama_reward")
    served, tasks = await serve({"orm": ("sequence-classification", directory)}), problems(6)
    formula = reference(directory, "AutoModelForSequenceClassification")
    for task, score in zip(tasks, await served.scores("orm", tasks), strict=True):
        assert_outcome_equals(score, formula.sequence_classification(task))


async def test_input_of_exactly_the_limit_is_scored(tiny, serve, reference, problems) -> None:
    (task,) = problems(1)
    expected = reference(tiny("llama")).embedded_prm(task)
    served = await serve({"prm": ("embedded-prm", tiny("llama"))}, max_input_tokens=expected.num_tokens)
    (score,) = await served.scores("prm", [task])
    assert_steps_equal(score, expected)


async def test_input_one_token_over_the_limit_is_refused_with_the_counts(tiny, serve, reference, problems) -> None:
    (task,) = problems(1)
    num_tokens = reference(tiny("llama")).embedded_prm(task).num_tokens
    served = await serve({"prm": ("embedded-prm", tiny("llama"))}, max_input_tokens=num_tokens - 1)
    (error,) = (await served.group("prm", [task])).results
    assert isinstance(error, InputTooLong)
    assert (error.num_tokens, error.limit) == (num_tokens, num_tokens - 1)


async def test_underflowing_probabilities_stay_with_their_steps(tiny, serve, reference, problems) -> None:
    directory = tiny("qwen2_tokens", head_scale=2000.0)
    served, tasks = await serve({"prm": ("trl-prm", directory)}), problems(8)
    scores = await served.scores("prm", tasks)
    formula = reference(directory, "AutoModelForTokenClassification")
    expected = [formula.trl(task) for task in tasks]
    assert 0.0 in [value for read in expected for value in read.scores]
    assert [[step.score for step in score.steps] for score in scores] == [
        pytest.approx(read.scores, abs=TOLERANCE) for read in expected
    ]


async def test_swapped_columns_would_be_noticed(tiny, serve, reference, problems, difference) -> None:
    served, tasks = await serve({"prm": ("embedded-prm", tiny("llama"))}), problems(4)
    formula = reference(tiny("llama"))
    for task, score in zip(tasks, await served.scores("prm", tasks), strict=True):
        wrong = formula.embedded_prm(task, words=("-", "+"))
        assert difference([step.score for step in score.steps], wrong.scores) > 100 * TOLERANCE


async def test_positions_shifted_by_one_would_be_noticed(tiny, serve, reference, problems, difference) -> None:
    directory = tiny("qwen2_tokens")
    served, tasks = await serve({"prm": ("trl-prm", directory)}), problems(4)
    formula = reference(directory, "AutoModelForTokenClassification")
    for task, score in zip(tasks, await served.scores("prm", tasks), strict=True):
        assert difference([step.score for step in score.steps], formula.trl(task, shift=-1).scores) > 100 * TOLERANCE


async def test_verdicts_read_one_token_early_would_be_noticed(tiny, serve, reference, problems, difference) -> None:
    served, tasks = await serve({"prm": ("embedded-prm", tiny("llama"))}), problems(4)
    formula = reference(tiny("llama"))
    for task, score in zip(tasks, await served.scores("prm", tasks), strict=True):
        wrong = formula.embedded_prm(task, shift=-1).scores
        assert difference([step.score for step in score.steps], wrong) > 100 * TOLERANCE


async def test_text_tokenised_whole_would_be_noticed(tiny, serve, reference, problems) -> None:
    """`.` and the separator are one token where a text is tokenised whole, and two where each piece is alone."""
    directory = tiny("qwen2_tokens")
    served, (task,) = await serve({"prm": ("trl-prm", directory)}), problems(1)
    (score,) = await served.scores("prm", [task])
    whole = reference(directory, "AutoModelForTokenClassification").ids(
        "<|bos|>" + task.problem + "".join(f"{step}\n" for step in task.steps)
    )
    assert score.num_tokens == len(whole) + len(task.steps)
