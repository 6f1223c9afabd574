"""References: each family's formula written out on one plain, unbatched forward pass of transformers.

Nothing here calls the rendering, the readout or the forward pass of the service; tokens come from `tokenizers`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import Tokenizer

from odd_tasks import ODD_TASKS
from surefoot.domain import ScoreTask
from surefoot.profiles import load_profile

ORM_SYSTEM = "Is the solution right?"


@dataclass(frozen=True)
class Read:
    """Raw values, one row per position, and the scores that the family's formula makes of them."""

    raw: list[list[float]]
    scores: list[float]
    num_tokens: int


class Reference:
    """A checkpoint and its tokenizer as transformers and `tokenizers` have them."""

    def __init__(self, directory: Path, loader: str, *, attention: str, dtype: torch.dtype) -> None:
        self.model = getattr(transformers, loader).from_pretrained(
            directory, dtype=dtype, attn_implementation=attention, local_files_only=True
        )
        self.model.eval()
        self.tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self.bos = json.loads((directory / "tokenizer_config.json").read_text(encoding="utf-8"))["bos_token"]

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def embedded_prm(self, task: ScoreTask, *, shift: int = 0, words: tuple[str, str] = ("+", "-")) -> Read:
        """[bos] + tok(problem and line feed) + Σ (tok(step) + tok("\\n")); p_i = softmax over [+, -] at line feed i."""
        token_ids = self.ids(self.bos) + self.ids(f"{task.problem}\n")
        positions = []
        for step in task.steps or ():
            token_ids += self.ids(step) + self.ids("\n")
            positions.append(len(token_ids) - 1 + shift)
        return self._contrast(token_ids, positions, words)

    def embedded_orm(self, task: ScoreTask) -> Read:
        """softmax(logits where the answer would begin over [Yes, No])[0]."""
        solution = "\n".join(task.steps or ())
        token_ids = self._system_turn(ORM_SYSTEM) + self._user_turn(f"{task.problem}\n{solution}")
        return self._contrast(token_ids, [len(token_ids) - 1], ("Yes", "No"))

    def trl(self, task: ScoreTask, *, shift: int = 0, good_columns: Sequence[int] = (1,)) -> Read:
        """[bos] + tok(problem) + Σ (tok(step) + tok("\\n")); softmax of the head at each separator, good columns."""
        token_ids = self.ids("<|bos|>") + self.ids(task.problem)
        positions = []
        for step in task.steps or ():
            token_ids += self.ids(step) + self.ids("\n")
            positions.append(len(token_ids) - 1 + shift)
        values = self._forward(token_ids).logits[0][positions].double()
        return Read(values.tolist(), values.softmax(-1)[:, list(good_columns)].sum(-1).tolist(), len(token_ids))

    def sequence_classification(self, task: ScoreTask) -> Read:
        """The head's one value at the last token of the chat."""
        token_ids = self.ids(f"<|im_start|>user\n{task.problem}<|im_end|>\n<|im_start|>assistant\n")
        token_ids += self.ids("\n".join(task.steps or ())) + self.ids("<|im_end|>\n")
        value = self._forward(token_ids).logits[0].double().tolist()
        return Read([value], value, len(token_ids))

    def _system_turn(self, text: str) -> list[int]:
        return self.ids("<|im_start|>system\n") + self.ids(text) + self.ids("<|im_end|>\n")

    def _user_turn(self, text: str) -> list[int]:
        header = self.ids("<|im_start|>user\n") + self.ids(text)
        return header + self.ids("<|im_end|>\n<|im_start|>assistant\n")

    def _contrast(self, token_ids: list[int], positions: list[int], words: tuple[str, str]) -> Read:
        verdicts = [token_id for word in words for token_id in self.ids(word)]
        assert len(verdicts) == 2
        if self.model.dtype == torch.float32:
            values = self._forward(token_ids).logits[0][positions][:, verdicts]
        else:
            # Heads are read in fp32 whatever the trunk computes in.
            with torch.inference_mode():
                hidden = self.model.model(torch.tensor([token_ids]), use_cache=False).last_hidden_state[0][positions]
            values = hidden.float() @ self.model.lm_head.weight[verdicts].float().T
        values = values.double()
        return Read(values.tolist(), values.softmax(-1)[:, 0].tolist(), len(token_ids))

    @torch.inference_mode()
    def _forward(self, token_ids: list[int]) -> Any:
        return self.model(torch.tensor([token_ids]), use_cache=False)


@pytest.fixture(scope="session")
def reference() -> Callable[..., Reference]:
    """Opens a checkpoint for reference: `reference(directory)`, attention "sdpa" unless told, fp32 unless told."""

    def open_checkpoint(
        directory: Path,
        loader: str = "AutoModelForCausalLM",
        *,
        attention: str = "sdpa",
        dtype: torch.dtype = torch.float32,
    ) -> Reference:
        return Reference(directory, loader, attention=attention, dtype=dtype)

    return open_checkpoint


def word_problem(random_source: random.Random, num_steps: int) -> ScoreTask:
    """A school problem with a solution of `num_steps` steps, some of them wrong."""
    name, thing = random_source.choice(["Mia", "Omar", "Lena"]), random_source.choice(["coins", "apples", "stamps"])
    total = random_source.randint(2, 60)
    problem = f"{name} has {total} {thing} and gets more {num_steps} times. How many {thing} are there?"
    steps = []
    for _ in range(num_steps):
        more = random_source.randint(2, 40)
        slip = random_source.choice([0, 0, 1])
        steps.append(f"{name} gets {more}, so {total} + {more} = {total + more + slip} {thing}.")
        total += more + slip
    return ScoreTask(problem, steps=tuple(steps))


@pytest.fixture(scope="session")
def problems() -> Callable[..., list[ScoreTask]]:
    """Seeded word problems of mixed length: `problems(32)`; `most_steps` bounds their steps."""

    def generate(count: int, *, most_steps: int = 8) -> list[ScoreTask]:
        source = random.Random(11)
        return [word_problem(source, source.randint(1, most_steps)) for _ in range(count)]

    return generate


TASKS = {name: ScoreTask(problem, steps=steps) for name, (problem, steps) in ODD_TASKS.items()}


@pytest.fixture(params=TASKS, ids=lambda name: name.replace(" ", "_"))
def odd_task(request: pytest.FixtureRequest) -> ScoreTask:
    """Each of the inputs that are easy to get wrong, in turn."""
    return TASKS[request.param]


GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
REFERENCE_SEED = 1
"""As in golden.py."""


@pytest.fixture(scope="session")
def golden() -> dict[str, Any]:
    """What golden.py wrote: by family the checkpoint's hash, and by task the scores and the number of tokens."""
    return GOLDEN


@pytest.fixture(scope="session")
def family_model(tiny) -> Callable[..., tuple[str, Path, dict[str, Any]]]:
    """What `serve` needs to load a family's tiny checkpoint: `serve({"m": family_model("eurus-prm")})`."""

    def settings(family: str, **changes: Any) -> tuple[str, Path, dict[str, Any]]:
        is_ratio = load_profile(family).readout.method == "log_ratio"
        further = {"reference_path": str(tiny(family, seed=REFERENCE_SEED))} if is_ratio else {}
        return family, tiny(family, **changes), further

    return settings


@pytest.fixture(scope="session")
def odd_tasks() -> dict[str, ScoreTask]:
    """All inputs that are easy to get wrong."""
    return TASKS


@pytest.fixture(scope="session")
def mixed_tasks(problems: Callable[..., list[ScoreTask]]) -> list[ScoreTask]:
    """32 inputs of very different lengths."""
    return [*TASKS.values(), *problems(32 - len(TASKS))]
