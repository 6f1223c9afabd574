"""What judges read: pairs by their difference, probes as plain formulas."""

from collections.abc import Callable

import pytest
import torch

from surefoot.experiments.weak_to_strong.items import Item, judged_row
from surefoot.experiments.weak_to_strong.judges import FineTuned, Probe, Readings, of_items
from surefoot.profiles import load_profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.training import TrainingBase, open_reward_base

ROWS = [judged_row(f"Add {number}", ["1 + 1 = 2", f"{number} + 1"], number % 2 == 0) for number in range(4)]
SINGLE = [Item(str(place), str(place), (row,), bool(row.is_correct)) for place, row in enumerate(ROWS)]


@pytest.fixture
def opener(tiny) -> Callable[[str], Callable[[], TrainingBase]]:
    def of(profile: str) -> Callable[[], TrainingBase]:
        model = ModelSettings(name="judge", path=str(tiny("llama")), profile=profile, adapter="none")
        settings = Settings(device="cpu", dtype="float32", max_input_tokens=512, threads=1)
        return lambda: open_reward_base(model, load_profile(profile), settings)

    return of


@pytest.mark.parametrize("profile", ["embedded-prm", "embedded-orm"])
def test_a_preference_is_the_difference_of_its_solutions(opener, profile: str) -> None:
    judge = FineTuned(Readings(opener(profile), 1), rank=2, seed=0)
    with torch.no_grad():
        alone = judge.log_odds(SINGLE)
        pair = judge.log_odds([Item("pair", "pair", (ROWS[2], ROWS[1]), True)])
    assert pair.item() == pytest.approx(float(alone[2] - alone[1]), abs=1e-4)


def test_judges_of_one_base_share_what_frozen_layers_give(opener) -> None:
    readings = Readings(opener("embedded-prm"), 1)
    with torch.no_grad():
        first = FineTuned(readings, rank=2, seed=0).log_odds(SINGLE)
        known = {tokens: states.clone() for tokens, states in readings.kept.items()}
        second = FineTuned(readings, rank=2, seed=1).log_odds(SINGLE)
    assert len(known) == len(SINGLE)
    assert all(torch.equal(readings.kept[tokens], states) for tokens, states in known.items())
    torch.testing.assert_close(first, second)  # adapters begin as nothing


def test_a_probe_reads_scaled_features(opener) -> None:
    readings = Readings(opener("embedded-prm"), 1)
    probe = Probe(readings, seed=0)
    probe.begin(SINGLE)
    hidden = readings.hidden(SINGLE)
    scaled = (hidden - hidden.mean(0)) / (hidden.std(0) + 1e-4)
    weight, bias = probe.parameters
    torch.testing.assert_close(probe.log_odds(SINGLE), scaled @ weight + bias)


def test_items_of_one_and_two_rows_stand_beside_each_other() -> None:
    mixed = [SINGLE[0], Item("pair", "pair", (ROWS[0], ROWS[1]), True)]
    assert of_items(torch.tensor([1.0, 5.0, 2.0]), mixed).tolist() == [1.0, 3.0]
