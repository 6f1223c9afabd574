"""Served scores against a plain unbatched forward pass of peft's own model, alone and in a batch of 32."""

import random
from collections.abc import Sequence

import pytest
import torch
from peft import PeftModel
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from surefoot.embedded.base_model import prepare_base
from surefoot.embedded.shipped_adapters import adapter_directory
from surefoot.settings import Settings
from surefoot_client import SurefootClient


def word_problems(count: int) -> list[dict[str, object]]:
    """Seeded problems with two to seven steps, some of them wrong: mixed lengths, as a batch has them."""
    draw = random.Random(20)
    items: list[dict[str, object]] = []
    for _ in range(count):
        boxes, pens, sold = draw.randint(2, 9), draw.randint(3, 40), draw.randint(1, 5)
        total = boxes * pens + draw.choice([0, 0, 1])
        steps = [f"There are {boxes} boxes with {pens} pens each, so {boxes} * {pens} = {total} pens."]
        steps += [
            f"Then {sold} pens are sold on day {day + 1}, which leaves {total - sold * (day + 1)}."
            for day in range(draw.randint(0, 5))
        ]
        steps.append(f"The answer is {total - sold * (len(steps) - 1)}.")
        problem = f"A shop has {boxes} boxes with {pens} pens each and sells {sold} a day. How many are left?"
        items.append({"problem": problem, "steps": steps})
    return items


def reference_scores(dtype: torch.dtype, items: Sequence[dict[str, object]]) -> list[list[float]]:
    """The formula written out: peft's own model, a pass a solution, softmax over + and - at each line feed."""
    path = str(prepare_base(Settings().cache))
    tokenizer = Tokenizer.from_file(f"{path}/tokenizer.json")
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
    model = PeftModel.from_pretrained(model, str(adapter_directory("embedded", "process"))).eval()

    def ids(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    (plus,), (minus,) = ids("+"), ids("-")
    verdict_rows = model.base_model.model.lm_head.weight[[plus, minus]].float()
    scores = []
    for item in items:
        tokens = ids("<|im_start|>") + ids(f"{item['problem']}\n")
        positions = []
        for step in item["steps"]:
            tokens += ids(step) + ids("\n")
            positions.append(len(tokens) - 1)
        with torch.inference_mode():
            hidden = model.base_model.model.model(torch.tensor([tokens])).last_hidden_state[0]
            logits = hidden[positions].float() @ verdict_rows.T
        scores.append(torch.softmax(logits, dim=-1)[:, 0].tolist())
    return scores


def served(client: SurefootClient, items: Sequence[dict[str, object]], model: str) -> list[list[float]]:
    response = client.score(items, model=model)
    response.raise_for_failures()
    return [[step.score for step in result.steps] for result in response.results]


def largest_difference(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> float:
    return max(abs(a - b) for left, right in zip(first, second, strict=True) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize(
    ("model", "dtype", "tolerance"), [("prm-fp32", torch.float32, 1e-5), ("prm", torch.bfloat16, 2e-2)]
)
def test_alone_in_a_batch_and_the_reference_agree(
    client: SurefootClient, model: str, dtype: torch.dtype, tolerance: float
) -> None:
    items = word_problems(32)
    # Every fourth of the batch is compared: each comparison costs a pass alone and a pass of the reference.
    checked = items[::4]
    batched = served(client, items, model)[::4]
    alone = [served(client, [item], model)[0] for item in checked]
    reference = reference_scores(dtype, checked)
    apart = largest_difference(alone, batched)
    off = max(largest_difference(alone, reference), largest_difference(batched, reference))
    print(f"\n{model}: alone against batch {apart:.2e}, served against reference {off:.2e}, tolerance {tolerance:.0e}")
    assert apart <= tolerance
    assert off <= tolerance


def test_the_comparison_can_fail(client: SurefootClient) -> None:
    """A batch that is shifted by one item must not pass as equal."""
    items = word_problems(4)
    scores = served(client, items, "prm-fp32")
    firsts = [score[0] for score in scores]
    assert max(abs(a - b) for a, b in zip(firsts, firsts[1:] + firsts[:1], strict=True)) > 5e-3
