"""A score does not depend on what else is in the batch: alone, among 32, in any order, beside another head."""

import asyncio
import random
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from surefoot.backends.transformers_backend import TransformersBackend
from surefoot.domain import Forwarded, ForwardItem, SolutionScore

FP32_TOLERANCE = 1e-5
PACKED_FAMILIES = ["llama", "qwen2", "mistral"]


def step_scores(scores: Sequence[SolutionScore]) -> list[float]:
    return [step.score for score in scores for step in score.steps]


@pytest.mark.parametrize("family", PACKED_FAMILIES)
async def test_alone_and_among_32_in_fp32(tiny, serve, mixed_tasks, difference, family: str) -> None:
    served = await serve({"prm": ("embedded-prm", tiny(family))})
    together = await served.scores("prm", mixed_tasks)
    assert served.telemetry.batch_sizes[0] >= 16
    alone = [(await served.scores("prm", [task]))[0] for task in mixed_tasks]
    assert difference(step_scores(together), step_scores(alone)) <= FP32_TOLERANCE


async def test_alone_and_among_32_where_attention_cannot_be_packed(tiny, serve, problems, difference) -> None:
    served, tasks = await serve({"prm": ("embedded-prm", tiny("gemma2"))}), problems(32, most_steps=2)
    together = await served.scores("prm", tasks)
    alone = [(await served.scores("prm", [task]))[0] for task in tasks]
    assert difference(step_scores(together), step_scores(alone)) <= FP32_TOLERANCE


async def test_alone_and_among_32_in_bf16(tiny, serve, mixed_tasks, difference) -> None:
    served = await serve({"prm": ("embedded-prm", tiny("llama"))}, dtype="bfloat16")
    together = await served.scores("prm", mixed_tasks)
    alone = [(await served.scores("prm", [task]))[0] for task in mixed_tasks]
    assert difference(step_scores(together), step_scores(alone)) == 0


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", FP32_TOLERANCE), ("bfloat16", 0)])
async def test_beams_that_grow_get_the_scores_of_their_whole_texts(
    tiny, serve, mixed_tasks, difference, dtype: str, tolerance: float
) -> None:
    """Each round appends a step; what was computed before is read from the cache."""
    base = tiny("llama")
    plain, caching = (
        await serve({"prm": ("embedded-prm", base)}, dtype=dtype),
        await serve({"prm": ("embedded-prm", base)}, dtype=dtype, caches={"scores": 64, "prefix_mib": 64}),
    )
    longest = max(mixed_tasks, key=lambda task: len(task.steps or ()))
    steps = longest.steps or ()
    for count in range(1, len(steps) + 1):
        beams = [replace(longest, steps=(*steps[:count], *ending)) for ending in ((), ("So 7.",), ("So 8.", "Or 9."))]
        expected = [(await plain.scores("prm", [beam]))[0] for beam in beams]
        for _ in range(2):
            found = await caching.scores("prm", beams)
            assert difference(step_scores(found), step_scores(expected)) <= tolerance
        assert all(score.cached_tokens == score.num_tokens for score in found)
    assert (await plain.group("prm", beams)).usage.cached_tokens == 0


@pytest.mark.parametrize(("dtype", "family"), [("float32", "llama"), ("float32", "mistral"), ("bfloat16", "qwen2")])
async def test_deterministic_scores_are_the_same_to_the_bit(tiny, serve, mixed_tasks, dtype: str, family: str) -> None:
    caches = {"scores": 0, "prefix_mib": 64}
    served = await serve({"prm": ("embedded-prm", tiny(family))}, dtype=dtype, deterministic=True, caches=caches)
    together = step_scores(await served.scores("prm", mixed_tasks))
    for tasks in (mixed_tasks, mixed_tasks[::-1]):
        one_by_one = [(await served.scores("prm", [task]))[0] for task in tasks]
        ordered = one_by_one if tasks is mixed_tasks else one_by_one[::-1]
        assert step_scores(ordered) == together


async def test_a_card_tells_whether_longer_solutions_cost_their_new_tokens_only(tiny, serve) -> None:
    kept, off = {"scores": 0, "prefix_mib": 64}, {"scores": 0, "prefix_mib": 0}
    told = []
    for settings in ({"caches": kept}, {"caches": off}, {"caches": kept, "deterministic": True}):
        served = await serve({"prm": ("embedded-prm", tiny("llama"))}, **settings)
        told.append(served.registry.get("prm").card.prefix_cache)
    unpacked = await serve({"prm": ("embedded-prm", tiny("gemma2"))}, caches=kept)
    assert [*told, unpacked.registry.get("prm").card.prefix_cache] == [True, False, False, False]


async def test_deterministic_log_ratios_are_the_same_to_the_bit(tiny, serve, mixed_tasks) -> None:
    reference = {"reference_path": str(tiny("eurus-prm", seed=1))}
    served = await serve({"prm": ("eurus-prm", tiny("eurus-prm"), reference)}, deterministic=True)
    together = step_scores(await served.scores("prm", mixed_tasks))
    assert step_scores([(await served.scores("prm", [task]))[0] for task in mixed_tasks]) == together


async def test_order_in_the_batch_does_not_matter(tiny, serve, mixed_tasks, difference) -> None:
    served = await serve({"prm": ("trl-prm", tiny("qwen2_tokens"))})
    order = list(range(len(mixed_tasks)))
    random.Random(3).shuffle(order)
    in_order = await served.scores("prm", mixed_tasks)
    shuffled = await served.scores("prm", [mixed_tasks[place] for place in order])
    assert difference(step_scores(shuffled), step_scores([in_order[place] for place in order])) <= FP32_TOLERANCE


async def test_identical_items_get_identical_scores(tiny, serve, problems, mixed_tasks) -> None:
    served, (task, *_) = await serve({"prm": ("embedded-prm", tiny("llama"))}), problems(1)
    results = await served.scores("prm", [task, *mixed_tasks[:6], task, *mixed_tasks[6:12], task])
    copies = [[step.score for step in results[place].steps] for place in (0, 7, 14)]
    assert [copies[1], copies[2]] == [pytest.approx(copies[0], abs=1e-7)] * 2


class Gate:
    """Holds the first forward pass until told, and remembers which heads every pass was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = threading.Event()
        self.heads: list[set[str]] = []
        forward = TransformersBackend.forward

        def gated(backend: TransformersBackend, batch: Sequence[ForwardItem]) -> list[Forwarded]:
            self.heads.append({item.head for item in batch})
            assert self.opened.wait(20)
            return forward(backend, batch)

        monkeypatch.setattr(TransformersBackend, "forward", gated)


async def test_two_heads_share_a_batch_and_equal_their_formulas(tiny, serve, reference, problems, monkeypatch) -> None:
    directory = tiny("llama")
    served = await serve({"prm": ("embedded-prm", directory), "orm": ("embedded-orm", directory)})
    formula, tasks, gate = reference(directory), problems(8), Gate(monkeypatch)
    first = asyncio.create_task(served.scores("prm", tasks[:1]))
    async with asyncio.timeout(20):
        while not gate.heads:  # noqa: ASYNC110 (a thread makes it true)
            await asyncio.sleep(0.001)
        process = asyncio.create_task(served.scores("prm", tasks))
        outcome = asyncio.create_task(served.scores("orm", tasks))
        while served.telemetry.num_waiting < 2 * len(tasks):  # noqa: ASYNC110 (the line calls back)
            await asyncio.sleep(0.001)
        gate.opened.set()
        await asyncio.gather(first, process, outcome)
    assert gate.heads == [{"prm"}, {"prm", "orm"}]
    expected_steps = [score for task in tasks for score in formula.embedded_prm(task).scores]
    assert step_scores(process.result()) == pytest.approx(expected_steps, abs=FP32_TOLERANCE)
    expected = [formula.embedded_orm(task).scores[0] for task in tasks]
    assert [score.score for score in outcome.result()] == pytest.approx(expected, abs=FP32_TOLERANCE)
