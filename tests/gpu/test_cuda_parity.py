"""Scores on a CUDA device equal those on the CPU and those of a plain forward pass, alone and in a batch."""

from collections.abc import Sequence

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from surefoot.backends.log_ratio_backend import MOST_LOGITS, token_log_probabilities
from surefoot.backends.transformers_backend import TransformersBackend
from surefoot.domain import ForwardItem, RenderedInput, ScoreTask, SolutionScore
from surefoot.modeling import flex_forest
from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.heads import contrast_head
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.packed_forward import packed_hidden_states

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


PUBLISHED = [
    "qwen2.5-math-prm",
    "skywork-o1-open-prm",
    "math-shepherd",
    "pure-prm",
    "qwen2.5-math-rm",
    "internlm2-reward",
]


def every_score(scores: Sequence[SolutionScore]) -> list[float]:
    return [score.score for score in scores] + flat(scores)


@pytest.mark.parametrize("profile", PUBLISHED)
async def test_published_families_score_the_same_on_cuda(tiny, serve, difference, profile: str) -> None:
    """Own heads, and weights converted on the way to the device, in fp32."""
    on_cpu = await serve({"model": (profile, tiny(profile))})
    on_gpu = await serve({"model": (profile, tiny(profile))}, device="cuda")
    found = every_score(await on_gpu.scores("model", TASKS))
    assert difference(found, every_score(await on_cpu.scores("model", TASKS))) <= FP32_TOLERANCE


async def serve_log_ratio(tiny, serve, **settings):
    reference = {"reference_path": str(tiny("eurus-prm", seed=1))}
    return await serve({"prm": ("eurus-prm", tiny("eurus-prm"), reference)}, **settings)


async def test_log_ratios_on_cuda_equal_those_on_the_cpu(tiny, serve, difference) -> None:
    on_cpu = await serve_log_ratio(tiny, serve)
    on_gpu = await serve_log_ratio(tiny, serve, device="cuda")
    found = flat(await on_gpu.scores("prm", TASKS))
    assert difference(found, flat(await on_cpu.scores("prm", TASKS))) <= FP32_TOLERANCE


@pytest.mark.parametrize("dtype", BATCH_TOLERANCES)
async def test_log_ratios_alone_equal_those_among_32_on_cuda(tiny, serve, difference, dtype: str) -> None:
    served = await serve_log_ratio(tiny, serve, device="cuda", dtype=dtype)
    together = flat(await served.scores("prm", TASKS))
    alone = flat([(await served.scores("prm", [task]))[0] for task in TASKS])
    assert difference(together, alone) <= BATCH_TOLERANCES[dtype]


def test_log_ratios_of_long_inputs_stay_within_their_memory_on_cuda() -> None:
    """All logits of 32 x 4096 tokens over 150,000 words would take 78 GB."""
    head = torch.nn.Linear(64, 150_000, bias=False, device="cuda")
    hidden = torch.randn(32 * 4096, 64, device="cuda")
    tokens = torch.randint(0, 150_000, (len(hidden),), device="cuda")
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    token_log_probabilities(head, hidden, tokens)
    assert torch.cuda.max_memory_allocated() - before <= 6 * 4 * MOST_LOGITS


@pytest.mark.parametrize("family", ["llama", "gemma2"])
@pytest.mark.parametrize("dtype", BATCH_TOLERANCES)
def test_plain_rows_equal_the_served_ones_on_cuda(tiny, difference, family: str, dtype: str) -> None:
    checkpoint = load_checkpoint(tiny(family), "causal_lm", dtype=dtype, device="cuda", attention=PACKED_ATTENTION)
    backend = TransformersBackend("tiny", checkpoint)
    backend.add_head("pair", contrast_head(checkpoint.model, [1, 2]))
    item = ForwardItem(RenderedInput(tuple(range(30, 90)), (3, 40, 59)), "pair")
    (served,) = backend.forward([item])
    # Logits, which are some times as large as scores.
    tolerance = 10 * BATCH_TOLERANCES[dtype]
    for plain, row in zip(backend.plain_rows(item), served, strict=True):
        assert difference(plain, row) <= tolerance


@pytest.mark.parametrize("family", ["mistral", "qwen3", "gemma3"])
@torch.inference_mode()
def test_flex_attention_over_a_forest_equals_attention_branch_by_branch(tiny, difference, monkeypatch, family) -> None:
    """The compiled kernel against one call a branch; heads of these models have 16 dimensions at least."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny(family), attn_implementation=PACKED_ATTENTION)
    trunk = model.eval().to("cuda").get_decoder()
    sequences = [[1, 2, 3, *range(4, 4 + length), last] for length in (5, 60, 200) for last in (7, 8, 9)]
    positions = [range(len(sequence)) for sequence in sequences]
    with_flex = packed_hidden_states(trunk, sequences, positions)
    assert not flex_forest._Compiled.failed
    monkeypatch.setattr(flex_forest._Compiled, "failed", True)
    by_branches = packed_hidden_states(trunk, sequences, positions)
    assert difference(with_flex.flatten().tolist(), by_branches.flatten().tolist()) <= FP32_TOLERANCE
