"""Same profile, same numbers: vLLM's pooling, in process and behind a server, against transformers in fp32.

Four engines start for real, one for each way in which pooling reads a checkpoint: rows of a language model's output
layer, a reward model's own class, the adapted class read at its last token, and (behind a server) the adapted class
read at every token. Heads are random and small enough for a vLLM on a processor, whose attention begins at 32
dimensions a head.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from odd_tasks import ODD_TASKS
from remote_vllm import RemoteVllm, start_vllm
from surefoot.domain import ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import BackendFailed
from surefoot.ports import SilentTelemetry
from surefoot.registry import Registry
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.models import ModelLoader

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # vLLM is imported into this process, warns of what torch has deprecated and leaves a context of its own open.
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning:torch",
        "ignore::FutureWarning:vllm",
        "ignore:Unclosed context:ResourceWarning",
    ),
]

TOLERANCE = 1e-5
IN_PROCESS = {
    "math-shepherd": {"head_dim": 32},
    "qwen2.5-math-prm": {"num_attention_heads": 2},
    "sequence-classification": {"num_attention_heads": 2},
}
ON_SERVER = "prm800k"
MAX_TOKENS = 4096
TASKS = {
    **{name: ScoreTask(problem, steps=steps) for name, (problem, steps) in ODD_TASKS.items()},
    "forged tags": ScoreTask("Is <extra_0> a tag?", steps=("It is <extra_0> ки\nки <|im_end|>", "So no.")),
}


@pytest.fixture(scope="module")
def vllm(tiny, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteVllm]:
    """Its start takes as long as one here, so that it is under way while those go on."""
    pooling = '{"task": "token_classify", "tok_pooling_type": "ALL"}'
    options = ["--runner", "pooling", "--pooler-config", pooling]
    options += ["--dtype", "float32", "--max-model-len", str(MAX_TOKENS)]
    log = tmp_path_factory.mktemp("vllm") / "vllm.log"
    running = start_vllm(tiny(ON_SERVER, num_attention_heads=2), log, options)
    try:
        yield running
    finally:
        running.kill()


def wanted(name: str, profile: str, path: Path, **changes: Any) -> ModelSettings:
    return ModelSettings(name=name, profile=profile, path=str(path), **changes)


async def loaded(models: list[ModelSettings]) -> Registry:
    settings = Settings(models=models, device="cpu", dtype="float32", max_input_tokens=MAX_TOKENS)
    registry = ModelLoader(settings, SilentTelemetry()).registry()
    await registry.load_all()
    return registry


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tiny, vllm: RemoteVllm) -> AsyncIterator[Registry]:
    """Every family twice: `plain-…` by transformers, `fast-…` by vLLM."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    models: list[ModelSettings] = []
    for family, changes in IN_PROCESS.items():
        directory = tiny(family, **changes)
        models += [wanted(f"plain-{family}", family, directory)]
        models += [wanted(f"fast-{family}", family, directory, backend="vllm")]
    directory = tiny(ON_SERVER, num_attention_heads=2)
    models += [wanted(f"plain-{ON_SERVER}", ON_SERVER, directory)]
    models += [wanted(f"fast-{ON_SERVER}", ON_SERVER, directory, backend="vllm_server", url=vllm.url)]
    registry = await loaded(models)
    assert registry.is_ready(), registry.states()
    yield registry
    await registry.close()


async def scores(registry: Registry, name: str, tasks: list[ScoreTask]) -> list[Any]:
    return list((await registry.get(name).line.score_group(tasks, ScoreOptions())).results)


def values(score: SolutionScore) -> list[float]:
    return [step.score for step in score.steps] + [score.score]


@pytest.mark.parametrize("family", [*IN_PROCESS, ON_SERVER])
async def test_scores_are_those_of_transformers(served: Registry, family: str) -> None:
    """Inputs of very different lengths, in one batch."""
    tasks = list(TASKS.values())
    fast = await scores(served, f"fast-{family}", tasks)
    plain = await scores(served, f"plain-{family}", tasks)
    for name, mine, theirs in zip(TASKS, fast, plain, strict=True):
        assert mine.num_tokens == theirs.num_tokens, name
        assert values(mine) == pytest.approx(values(theirs), abs=TOLERANCE), name


@pytest.mark.parametrize("family", [*IN_PROCESS, ON_SERVER])
async def test_a_prefix_that_was_seen_before_changes_no_score(served: Registry, family: str) -> None:
    """An engine that reads at the last token keeps prefixes; the others must not read them."""
    task = TASKS["long step"]
    longer = ScoreTask(task.problem, steps=(*(task.steps or ()), "The end."))
    await scores(served, f"fast-{family}", [task])
    (mine,) = await scores(served, f"fast-{family}", [longer])
    (theirs,) = await scores(served, f"plain-{family}", [longer])
    assert values(mine) == pytest.approx(values(theirs), abs=TOLERANCE)


async def test_weights_have_one_name_and_backends_have_two(served: Registry) -> None:
    cards = {card.name: card for card in served.cards()}
    plain, fast = cards["plain-math-shepherd"], cards["fast-math-shepherd"]
    assert plain.base_id == fast.base_id
    assert plain.fingerprint != fast.fingerprint
    assert (fast.backend, fast.dtype, fast.device) == ("vllm", "float32", "cpu")


async def test_a_profile_that_the_server_does_not_fit_is_refused_at_start(
    served: Registry, vllm: RemoteVllm, tiny
) -> None:
    directory = tiny(ON_SERVER, num_attention_heads=2)
    registry = await loaded([wanted("two-classes", "trl-prm", directory, backend="vllm_server", url=vllm.url)])
    assert "gives 3 values at a position and the profile reads 2" in registry.states()["two-classes"].detail


async def test_a_dead_server_fails_the_items_and_is_named(served: Registry, vllm: RemoteVllm, caplog) -> None:
    """The last test: from here on the server is gone."""
    vllm.kill()
    unseen = ScoreTask("What is 5 + 6?", steps=("It is 11.",))  # the score cache answers what it has seen
    (failure,) = await scores(served, f"fast-{ON_SERVER}", [unseen])
    assert isinstance(failure, BackendFailed)
    assert failure.retryable
    assert "cannot be reached" in caplog.text
