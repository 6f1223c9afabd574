"""The golden values are a test that can fail: a wrong column, place or BOS moves every family's scores far away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from forwarded import rows_of
from surefoot.domain import ForwardItem, RenderedInput, ScoreTask
from surefoot.ports import SilentTelemetry
from surefoot.profiles import LogRatio, Profile, TokenClassification, TokenContrast, load_profile
from surefoot.readout import read
from surefoot.rendering import build_renderer
from surefoot.segmentation import join_steps
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.engines import Engine, build_engine
from tiny_models import PUBLISHED

TOLERANCE = 1e-5
PROCESS_FAMILIES = [family for family in PUBLISHED if load_profile(family).kind == "process"]

Change = Callable[[RenderedInput], RenderedInput]


def moved(tokens: int) -> Change:
    """Every place that is read moved by so many tokens, as far as the input goes."""
    return lambda rendered: replace(
        rendered,
        readout_positions=tuple(min(place + tokens, rendered.num_tokens - 1) for place in rendered.readout_positions),
    )


def with_another_bos(engine: Engine) -> Change:
    return lambda rendered: RenderedInput(
        (engine.tokenizer.bos_token_id, *rendered.token_ids),
        tuple(place + 1 for place in rendered.readout_positions),
        rendered.solution_start + 1,
    )


def swapped(profile: Profile) -> Profile:
    """The profile with its columns or words exchanged; a single value has none, it gets another activation."""
    readout = profile.readout
    if isinstance(readout, TokenContrast):
        fields = {"positive": readout.negative, "negative": readout.positive}
    elif isinstance(readout, TokenClassification):
        fields = {"classes": tuple(reversed(readout.classes))}
    else:
        fields = {"activation": "none" if readout.activation == "sigmoid" else "sigmoid"}
    return profile.model_copy(update={"readout": readout.model_copy(update=fields)})


@dataclass(frozen=True)
class Family:
    """A family's engine, read without a queue, and what golden.py says of its scores."""

    profile: Profile
    engine: Engine
    expected: dict[str, list[float]]
    tasks: dict[str, ScoreTask]

    def largest_difference(self, change: Change = lambda rendered: rendered) -> float:
        """From the golden values, over all tasks, where inputs are changed before the forward pass."""
        renderer = build_renderer(self.profile, self.engine.tokenizer)
        items = []
        for task in self.tasks.values():
            rendered = renderer.render(task, join_steps(task.steps, self.profile.splitting.separator))
            items.append(ForwardItem(change(rendered), head="m"))
        found = [
            reading.score
            for item, rows in zip(items, rows_of(self.engine.backend.forward(items)), strict=True)
            for reading in read(self.profile, rows, len(item.rendered.readout_positions))
        ]
        expected = [score for name in self.tasks for score in self.expected[name]]
        return max(abs(left - right) for left, right in zip(found, expected, strict=True))


@pytest.fixture
def opened(family_model, odd_tasks, golden, tmp_path) -> Callable[..., Family]:
    """Opens a family, with its profile changed where asked: `opened("trl-prm", swapped)`."""

    def open_family(family: str, change: Callable[[Profile], Profile] = lambda profile: profile, **further) -> Family:
        profile = change(load_profile(family))
        _, path, own = family_model(family)
        model = ModelSettings(name="m", profile=family, **{"path": str(path)} | own | further)
        settings = Settings(device="cpu", dtype="float32", cache_dir=tmp_path)
        engine = build_engine(model, profile, settings, SilentTelemetry()).engine
        engine.add_model("m", profile)
        expected = {name: task["scores"] for name, task in golden[family]["tasks"].items()}
        return Family(profile, engine, expected, odd_tasks)

    return open_family


@pytest.mark.parametrize("family", PUBLISHED)
def test_unchanged_it_is_right(opened, family: str) -> None:
    assert opened(family).largest_difference() <= TOLERANCE


@pytest.mark.parametrize("family", [name for name in PUBLISHED if not isinstance(load_profile(name).readout, LogRatio)])
def test_swapped_columns_are_noticed(opened, family: str) -> None:
    assert opened(family, swapped).largest_difference() > 100 * TOLERANCE


@pytest.mark.parametrize("family", [name for name in PUBLISHED if isinstance(load_profile(name).readout, LogRatio)])
def test_swapped_models_are_noticed(opened, family_model, family: str) -> None:
    _, path, further = family_model(family)
    exchanged = opened(family, path=further["reference_path"], reference_path=str(path))
    assert exchanged.largest_difference() > 100 * TOLERANCE


@pytest.mark.parametrize("family", PUBLISHED)
def test_places_one_token_early_are_noticed(opened, family: str) -> None:
    assert opened(family).largest_difference(moved(-1)) > 100 * TOLERANCE


@pytest.mark.parametrize("family", PROCESS_FAMILIES)
def test_places_one_token_late_are_noticed(opened, family: str) -> None:
    assert opened(family).largest_difference(moved(1)) > 100 * TOLERANCE


@pytest.mark.parametrize("family", PUBLISHED)
def test_another_bos_is_noticed(opened, family: str) -> None:
    found = opened(family)
    assert found.largest_difference(with_another_bos(found.engine)) > 100 * TOLERANCE
