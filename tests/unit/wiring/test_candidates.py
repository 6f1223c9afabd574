"""Candidates on real engines: an adapter shares its base, another checkpoint has an engine, and both are freed."""

import asyncio
import gc
import weakref
from pathlib import Path

import pytest

from adapter_directory import AdapterDirectory
from surefoot.backends.transformers_backend import TransformersBackend
from surefoot.domain import ScoreOptions, ScoreTask, SolutionScore
from surefoot.errors import (
    AdapterMismatch,
    CheckpointMissing,
    ProfileInvalid,
    SelfCheckFailed,
    SettingsInvalid,
    StartupError,
)
from surefoot.profiles.library import profile_text
from surefoot.registry import ServedModel

TASKS = [ScoreTask("What is 2 + 3 * 4?", steps=("3 * 4 = 12.", "2 + 12 = 14.", "The answer is 14."))]


@pytest.fixture
def adapters(tmp_path: Path) -> list[AdapterDirectory]:
    """Three, of the seeds 1, 2 and 3."""
    directories = [AdapterDirectory(tmp_path / f"adapter-{seed}") for seed in (1, 2, 3)]
    for seed, directory in enumerate(directories, start=1):
        directory.put(seed)
    return directories


@pytest.fixture
async def served(serve, tiny, adapters):
    """prm with an adapter and candidates, and plain on the same base without."""
    candidates = [
        {"label": "tuned", "adapter": str(adapters[1].path)},
        {"label": "same-base-alone", "adapter": "none"},
        {"label": "other-base", "path": str(tiny("qwen2"))},
        {"label": "outcome", "profile": "embedded-orm"},
        {"label": "lost", "path": "/nowhere"},
        {"label": "breaking", "adapter": str(adapters[2].path)},
    ]
    further = {"adapter": str(adapters[0].path), "candidates": candidates}
    return await serve(
        {"prm": ("embedded-prm", tiny("llama"), further), "plain": ("embedded-prm", tiny("llama"))},
        caches={"scores": 100, "prefix_mib": 8},
    )


async def scores(model: ServedModel) -> list[float]:
    (result,) = (await model.line.score_group(TASKS, ScoreOptions())).results
    assert isinstance(result, SolutionScore), result
    return [step.score for step in result.steps]


def backend_of(model: ServedModel):
    return model.line._scheduler._backend


async def idle() -> None:
    """Until what was let go of is closed."""
    gc.collect()
    for _ in range(20):
        await asyncio.sleep(0.01)


async def test_an_adapter_shares_the_base_of_the_model_that_is_served(served) -> None:
    place = (await served.succession.load("prm", "tuned")).place
    assert backend_of(place.candidate.model) is backend_of(served.registry.get("prm"))


async def test_a_candidate_is_proven(served) -> None:
    place = (await served.succession.load("prm", "tuned")).place
    assert place.candidate.model.card.self_check.state == "passed"


@pytest.mark.parametrize("label", ["tuned", "same-base-alone", "other-base"])
async def test_no_cache_mixes_the_two(served, label) -> None:
    before = await scores(served.registry.get("prm"))
    await served.succession.load("prm", label)
    served.succession.promote("prm")
    promoted = await scores(served.registry.get("prm"))
    served.succession.roll_back("prm")
    assert promoted != before
    assert await scores(served.registry.get("prm")) == before


async def test_a_base_alone_scores_as_the_model_without_an_adapter(served) -> None:
    await served.succession.load("prm", "same-base-alone")
    served.succession.promote("prm")
    assert await scores(served.registry.get("prm")) == await scores(served.registry.get("plain"))


async def test_a_candidate_that_is_let_go_of_leaves_nothing_on_the_engine(served) -> None:
    heads = set(backend_of(served.registry.get("prm"))._heads)
    await served.succession.load("prm", "tuned")
    served.succession.unload("prm", "candidate")
    await idle()
    assert set(backend_of(served.registry.get("prm"))._heads) == heads


async def test_an_engine_of_its_own_is_closed_and_freed_with_the_candidate(served) -> None:
    place = (await served.succession.load("prm", "other-base")).place
    scheduler = place.candidate.model.line._scheduler
    backend = weakref.ref(backend_of(place.candidate.model))
    del place
    served.succession.unload("prm", "candidate")
    await idle()
    assert not scheduler.is_accepting
    del scheduler
    gc.collect()
    assert backend() is None


async def test_an_engine_that_another_model_uses_stays(served) -> None:
    await served.succession.load("prm", "other-base")
    served.succession.promote("prm")
    served.succession.unload("prm", "previous")
    await idle()
    assert await scores(served.registry.get("plain"))


async def test_the_engine_of_the_first_model_goes_when_nobody_is_left_on_it(serve, tiny) -> None:
    candidates = {"candidates": [{"label": "other", "path": str(tiny("qwen2"))}]}
    alone = await serve({"prm": ("embedded-prm", tiny("llama"), candidates)})
    scheduler = served_scheduler = alone.registry.get("prm").line._scheduler
    await alone.succession.load("prm", "other")
    alone.succession.promote("prm")
    alone.succession.unload("prm", "previous")
    await idle()
    assert not scheduler.is_accepting
    assert alone.registry.get("prm").line._scheduler is not served_scheduler
    assert await scores(alone.registry.get("prm"))


async def test_who_has_begun_keeps_the_engine(served) -> None:
    await served.succession.load("prm", "other-base")
    served.succession.promote("prm")
    begun = served.registry.get("prm")
    expected = await scores(begun)
    served.succession.roll_back("prm")
    served.succession.unload("prm", "candidate")
    await idle()
    assert await scores(begun) == expected


async def test_two_adapters_on_one_base_hold_its_weights_once(served, adapters) -> None:
    trunk = backend_of(served.registry.get("prm"))._trunk._trunk
    held = {weights.data_ptr() for weights in trunk.parameters()}
    await served.succession.load("prm", "tuned")
    served.succession.promote("prm")
    await served.succession.load("prm", "breaking")
    place = served.succession.standing("prm").place
    models = [served.registry.get("prm"), place.candidate.model, place.previous.model, served.registry.get("plain")]
    assert {id(backend_of(model)._trunk._trunk) for model in models} == {id(trunk)}
    assert {weights.data_ptr() for weights in trunk.parameters()} == held
    assert len({tuple(await scores(model)) for model in models}) == 4


async def test_reading_everything_again_keeps_what_was_promoted(served, adapters) -> None:
    await served.succession.load("prm", "tuned")
    served.succession.promote("prm")
    promoted = await scores(served.registry.get("prm"))
    adapters[0].put(9)
    await served.registry.reload_all()
    assert await scores(served.registry.get("prm")) == promoted
    adapters[1].put(8)
    await served.registry.reload_all()
    assert await scores(served.registry.get("prm")) != promoted


async def test_a_rollback_after_reading_again_serves_the_model_before(served, adapters) -> None:
    before = await scores(served.registry.get("prm"))
    await served.succession.load("prm", "tuned")
    served.succession.promote("prm")
    adapters[1].put(8)
    await served.registry.reload_all()
    served.succession.roll_back("prm")
    assert await scores(served.registry.get("prm")) == before


async def test_a_restart_serves_what_was_promoted(serve, tiny, adapters, tmp_path) -> None:
    further = {"adapter": str(adapters[0].path), "candidates": [{"label": "tuned", "adapter": str(adapters[1].path)}]}
    models = {"prm": ("embedded-prm", tiny("llama"), further)}
    first = await serve(models, promotions_file=tmp_path / "promotions.json")
    await first.succession.load("prm", "tuned")
    first.succession.promote("prm")
    second = await serve(models, promotions_file=tmp_path / "promotions.json")
    assert await scores(second.registry.get("prm")) == await scores(first.registry.get("prm"))
    assert second.succession.standing("prm").place.served_label == "tuned"


async def test_a_promoted_candidate_that_is_set_no_more_is_refused_at_start(serve, tiny, tmp_path) -> None:
    file = tmp_path / "promotions.json"
    file.write_text('{"prm": "tuned"}')
    with pytest.raises(SettingsInvalid, match=r"'tuned' is served, which is not set"):
        await serve({"prm": ("embedded-prm", tiny("llama"))}, promotions_file=file)


async def test_a_promoted_adapter_is_read_again_from_its_own_directory(served, adapters) -> None:
    await served.succession.load("prm", "tuned")
    served.succession.promote("prm")
    adapters[1].put(9)
    done = await served.registry.reload("prm")
    assert done.changed


@pytest.mark.parametrize(
    ("label", "error"), [("outcome", ProfileInvalid), ("lost", CheckpointMissing)], ids=["another kind", "no files"]
)
async def test_what_cannot_take_the_place_is_refused(served, label, error) -> None:
    with pytest.raises(error):
        await served.succession.load("prm", label)


@pytest.mark.parametrize(
    ("break_it", "error"),
    [
        (lambda adapter: adapter.claim_base("aaaa"), AdapterMismatch),
        (lambda adapter: adapter.put(3, factor=float("nan")), SelfCheckFailed),
    ],
    ids=["another base", "scores that are no numbers"],
)
async def test_a_failure_leaves_the_model_and_the_engine_as_they_were(served, adapters, break_it, error) -> None:
    before, heads = await scores(served.registry.get("prm")), set(backend_of(served.registry.get("prm"))._heads)
    break_it(adapters[2])
    with pytest.raises(error):
        await served.succession.load("prm", "breaking")
    await idle()
    assert served.succession.standing("prm").place.candidate is None
    assert set(backend_of(served.registry.get("prm"))._heads) == heads
    assert await scores(served.registry.get("prm")) == before


@pytest.mark.parametrize("label", ["misfit", "unreadable"])
async def test_a_failure_on_an_engine_of_its_own_leaves_no_engine(serve, tiny, adapters, tmp_path, label) -> None:
    adapters[0].claim_base("aaaa")
    unreadable = tmp_path / "profile.toml"
    unreadable.write_text(profile_text("embedded-prm").replace('positive = "+"', 'positive = "no such word"'))
    candidates = [
        {"label": "misfit", "path": str(tiny("qwen2")), "adapter": str(adapters[0].path)},
        {"label": "unreadable", "path": str(tiny("qwen2")), "profile": str(unreadable)},
    ]
    served = await serve({"prm": ("embedded-prm", tiny("llama"), {"candidates": candidates})})
    before = num_backends()
    with pytest.raises(StartupError):
        await served.succession.load("prm", label)
    await idle()
    assert num_backends() == before


def num_backends() -> int:
    gc.collect()
    return sum(type(held) is TransformersBackend for held in gc.get_objects())


async def test_an_engine_of_its_own_is_measured_by_a_name_of_its_own(served) -> None:
    place = (await served.succession.load("prm", "other-base")).place
    assert backend_of(place.candidate.model).name == "prm@other-base"
    assert backend_of(served.registry.get("prm")).name == "prm"


@pytest.mark.parametrize("label", ["tuned", "other-base"])
async def test_a_shadow_compares_and_leaves_the_scores_as_they_are(served, label) -> None:
    before = await scores(served.registry.get("prm"))
    await served.succession.load("prm", label)
    served.succession.shadow("prm", 1.0)
    assert await scores(served.registry.get("prm")) == before
    async with asyncio.timeout(5):
        while not served.succession.standing("prm").place.shadow.summary.compared:  # noqa: ASYNC110 (another task does it)
            await asyncio.sleep(0.001)
    summary = served.succession.standing("prm").place.shadow.summary
    assert (summary.num_scores, summary.failed) == (3, 0)
    assert summary.max_difference > 1e-3
    assert await scores(served.registry.get("prm")) == before
