"""Scores on a CUDA device equal those on the CPU and those of a plain forward pass, alone and in a batch."""

from collections.abc import Sequence

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from surefoot.domain import ScoreTask, SolutionScore

pytestmark = pytest.mark.gpu

# The order of a sum differs between the two devices.
FP32_TOLERANCE = 1e-4
BATCH_TOLERANCES = {"float32": 1e-5, "bfloat16": 5e-3, "float16": 5e-3}
CAUSAL_FAMILIES = ["llama", "qwen2", "mistral", "gemma2", "granite", "cohere"]
TASKS = [
    ScoreTask(f"What is {first} + {second}?", steps=tuple(f"Step {n} of {first} gives {n}." for n in range(second)))
    for first, second in zip(range(3, 35), [1, 2, 3, 5, 8, 13, 21, 34] * 4, strict=True)
]


def flat(scores: Sequence[SolutionScore]) -> list[float]:
    return [step.score for score in scores for step in score.steps]


@pytest.mark.parametrize("family", CAUSAL_FAMILIES)
async def test_cuda_equals_cpu_in_fp32(tiny, serve, difference, family: str) -> None:
    on_cpu = await serve({"prm": ("embedded-prm", tiny(family))})
    on_gpu = await serve({"prm": ("embedded-prm", tiny(family))}, device="cuda")
    found = flat(await on_gpu.scores("prm", TASKS))
    assert difference(found, flat(await on_cpu.scores("prm", TASKS))) <= FP32_TOLERANCE


@pytest.mark.parametrize("dtype", BATCH_TOLERANCES)
async def test_alone_equals_among_32_on_cuda(tiny, serve, difference, dtype: str) -> None:
    served = await serve({"prm": ("embedded-prm", tiny("llama"))}, device="cuda", dtype=dtype)
    together = flat(await served.scores("prm", TASKS))
    alone = flat([(await served.scores("prm", [task]))[0] for task in TASKS])
    assert difference(together, alone) <= BATCH_TOLERANCES[dtype]


async def test_served_scores_equal_the_formula_on_cuda(tiny, serve) -> None:
    """[bos] + tok(problem) + Σ (tok(step) + tok("\\n")); softmax of the head at each separator, column 1."""
    directory = tiny("qwen2_tokens")
    model = transformers.AutoModelForTokenClassification.from_pretrained(directory, dtype=torch.float32)
    model.eval().to("cuda")
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    served = await serve({"prm": ("trl-prm", directory)}, device="cuda")
    for task, score in zip(TASKS, await served.scores("prm", TASKS), strict=True):
        token_ids, positions = tokenizer.encode("<|bos|>" + task.problem, add_special_tokens=False).ids, []
        for step in task.steps or ():
            token_ids += tokenizer.encode(step, add_special_tokens=False).ids
            token_ids += tokenizer.encode("\n", add_special_tokens=False).ids
            positions.append(len(token_ids) - 1)
        with torch.inference_mode():
            logits = model(torch.tensor([token_ids], device="cuda")).logits[0][positions].double()
        expected = logits.softmax(-1)[:, 1].tolist()
        assert [step.score for step in score.steps] == pytest.approx(expected, abs=FP32_TOLERANCE)
