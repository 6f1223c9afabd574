"""An adapter is swapped under a running model: who has begun keeps theirs, a failure changes nothing, none lingers."""

import asyncio
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from adapter_directory import AdapterDirectory
from surefoot.domain import ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import (
    AdapterInvalid,
    AdapterMismatch,
    AdapterNotConfigured,
    EmptyProblem,
    NotReady,
    ProfileInvalid,
    SelfCheckFailed,
    StartupError,
)
from surefoot.registry import Registry, ServedModel

TASKS = [
    ScoreTask("What is 2 + 3 * 4?", steps=("3 * 4 = 12.", "2 + 12 = 14.", "The answer is 14.")),
    ScoreTask("What is 7 * 8?", steps=("7 * 8 = 54.",)),
]


@pytest.fixture
def adapter(tmp_path: Path) -> AdapterDirectory:
    """Holds the adapter of seed 1."""
    directory = AdapterDirectory(tmp_path / "adapter")
    directory.put(1)
    return directory


@pytest.fixture
async def registry(serve, tiny, adapter: AdapterDirectory) -> Registry:
    """prm with the adapter and its own profile, and plain without."""
    prm = (str(adapter.path / "profile.toml"), tiny("llama"), {"adapter": str(adapter.path)})
    return (await serve({"prm": prm, "plain": ("embedded-prm", tiny("llama"))})).registry


async def scores(model: ServedModel) -> list[float]:
    group = await model.line.score_group(TASKS, ScoreOptions())
    found = [result for result in group.results if isinstance(result, SolutionScore)]
    assert len(found) == len(TASKS), group.results
    return [step.score for result in found for step in result.steps]


def heads(registry: Registry) -> list[str]:
    """Names that the engine can be asked for, without those of models that have no adapter."""
    backend = registry.get("plain").line._scheduler._backend
    assert set(backend._trunk._adapters._layers) == backend._adapted
    assert set(backend._heads) == {*backend._adapted, "plain"}
    return sorted(backend._adapted)


async def test_a_reload_swaps_the_adapter(registry, adapter) -> None:
    before = await scores(registry.get("prm"))
    adapter.put(2)
    done = await registry.reload("prm")
    assert done.changed
    assert registry.get("prm").card.fingerprint == done.fingerprint
    assert await scores(registry.get("prm")) != before


async def test_the_new_adapter_has_been_proven(registry, adapter) -> None:
    adapter.put(2)
    await registry.reload("prm")
    assert registry.get("prm").card.self_check.state == "passed"


async def test_models_without_an_adapter_stay_as_they_are(registry, adapter) -> None:
    before = await scores(registry.get("plain"))
    adapter.put(2)
    await registry.reload("prm")
    assert await scores(registry.get("plain")) == before


async def test_the_same_files_change_nothing(registry) -> None:
    before = registry.get("prm")
    assert not (await registry.reload("prm")).changed
    assert registry.get("prm") is before


async def test_what_was_read_in_vain_is_let_go_of(registry) -> None:
    await registry.reload("prm")
    assert heads(registry) == [registry.get("prm").line.head]


async def test_who_has_begun_keeps_the_adapter_for_all_that_follows(registry, adapter) -> None:
    begun = registry.get("prm")
    before = await scores(begun)
    adapter.put(2)
    await registry.reload("prm")
    assert await scores(begun) == before


async def test_going_back_leaves_both_holders_their_adapter(registry, adapter) -> None:
    first = registry.get("prm")
    expected = await scores(first)
    for seed in (2, 1):
        adapter.put(seed)
        await registry.reload("prm")
    assert registry.get("prm").card.fingerprint == first.card.fingerprint
    del first
    assert await scores(registry.get("prm")) == expected


async def test_the_adapter_goes_with_the_last_request(registry, adapter) -> None:
    begun = asyncio.create_task(scores(registry.get("prm")))
    await asyncio.sleep(0)
    adapter.put(2)
    await registry.reload("prm")
    await begun
    del begun
    assert heads(registry) == [registry.get("prm").line.head]


async def test_an_item_that_failed_keeps_no_adapter(registry, adapter) -> None:
    group = await registry.get("prm").line.score_group([ScoreTask(" ", steps=("2.",))], ScoreOptions())
    adapter.put(2)
    await registry.reload("prm")
    assert isinstance(group.results[0], EmptyProblem)
    assert heads(registry) == [registry.get("prm").line.head]


async def test_the_adapter_stays_while_somebody_may_ask_for_it(registry, adapter) -> None:
    begun = registry.get("prm")
    adapter.put(2)
    await registry.reload("prm")
    assert heads(registry) == sorted([begun.line.head, registry.get("prm").line.head])


async def test_the_tensors_are_freed(registry, adapter) -> None:
    layers = registry.get("plain").line._scheduler._backend._trunk._adapters._layers
    (low_rank,) = layers[registry.get("prm").line.head].values()
    tensors = [weakref.ref(low_rank.down), weakref.ref(low_rank.up)]
    del low_rank
    adapter.put(2)
    await registry.reload("prm")
    assert [tensor() for tensor in tensors] == [None, None]


Breaking = Callable[[AdapterDirectory], None]
FAILURES: dict[str, tuple[Breaking, type[StartupError]]] = {
    "the directory is gone": (lambda adapter: shutil.rmtree(adapter.path), ProfileInvalid),
    "the weights are cut": (AdapterDirectory.cut_weights, AdapterInvalid),
    "the base is another": (lambda adapter: adapter.claim_base("aaaa"), AdapterMismatch),
    "the layer has another shape": (lambda adapter: adapter.put(2, inputs=32), AdapterMismatch),
    "the scores are no numbers": (lambda adapter: adapter.put(2, factor=float("nan")), SelfCheckFailed),
    "the profile is no profile": (
        lambda adapter: adapter.set_profile("embedded-prm", ("kind =", "sort =")),
        ProfileInvalid,
    ),
    "the profile is of another kind": (lambda adapter: adapter.set_profile("embedded-orm"), ProfileInvalid),
}


@pytest.mark.parametrize(("break_it", "error"), FAILURES.values(), ids=FAILURES)
async def test_a_failure_has_its_error(registry, adapter, break_it: Breaking, error: type[StartupError]) -> None:
    break_it(adapter)
    with pytest.raises(error):
        await registry.reload("prm")


@pytest.mark.parametrize("break_it", [breaking for breaking, _ in FAILURES.values()], ids=FAILURES)
async def test_a_failure_leaves_the_model_as_it_was(registry, adapter, break_it: Breaking) -> None:
    before, expected = registry.get("prm"), await scores(registry.get("prm"))
    break_it(adapter)
    await asyncio.gather(registry.reload("prm"), return_exceptions=True)
    assert registry.get("prm") is before
    assert await scores(before) == expected


async def test_an_adapter_that_fails_its_proof_is_let_go_of(registry, adapter) -> None:
    adapter.put(2, factor=float("nan"))
    with pytest.raises(SelfCheckFailed):
        await registry.reload("prm")
    assert heads(registry) == [registry.get("prm").line.head]


async def test_a_profile_beside_the_adapter_is_read_again(registry, adapter) -> None:
    adapter.set_profile("embedded-prm", ("threshold = 0.73", "threshold = 0.25"))
    assert (await registry.reload("prm")).changed
    assert registry.get("prm").card.threshold == 0.25


async def test_a_model_without_an_adapter_cannot_be_read_again(registry) -> None:
    with pytest.raises(AdapterNotConfigured, match="'plain'"):
        await registry.reload("plain")


async def test_two_reloads_run_one_after_the_other(registry, adapter) -> None:
    adapter.put(2)
    first, second = await asyncio.gather(registry.reload("prm"), registry.reload("prm"))
    assert (first.changed, second.changed) == (True, False)
    assert first.fingerprint == second.fingerprint


async def test_a_reload_that_outlasts_the_service_serves_nothing(registry, adapter) -> None:
    adapter.put(2)
    reloading = asyncio.create_task(registry.reload("prm"))
    await asyncio.sleep(0)
    await registry.close()
    with pytest.raises(NotReady):
        await reloading


async def test_every_answer_under_reloads_is_of_the_fingerprint_that_it_names(registry, adapter, difference) -> None:
    expected: dict[str, list[float]] = {}
    for seed in (2, 1):
        adapter.put(seed)
        await registry.reload("prm")
        expected[registry.get("prm").card.fingerprint] = await scores(registry.get("prm"))

    async def asked() -> tuple[str, list[float]]:
        model = registry.get("prm")
        return model.card.fingerprint, await scores(model)

    tasks = []
    for seed in (2, 1, 2, 1, 2):
        adapter.put(seed)
        reloading = asyncio.create_task(registry.reload("prm"))
        for _ in range(10):
            tasks.append(asyncio.create_task(asked()))
            await asyncio.sleep(0.002)
        assert (await reloading).changed
    answers = await asyncio.gather(*tasks)
    assert {fingerprint for fingerprint, _ in answers} == set(expected)
    # Neighbours in a batch change the order of sums, which moves a score a little; another adapter moves it far.
    assert max(difference(found, expected[fingerprint]) for fingerprint, found in answers) < 1e-5
    assert difference(*expected.values()) > 1e-3
