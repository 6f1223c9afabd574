"""The loop: it learns, goes on where it was interrupted, and never learns from what is not finite."""

import math
import re
from pathlib import Path

import pytest
import torch

from surefoot.errors import LossNotFinite, RunMismatch
from surefoot.training.lora_shape import LoraShape
from surefoot.training.run_state import FILE_NAME, load_state
from surefoot.training.validation import validate


def nothing(_: object) -> None:
    """What is done with an adapter that nobody keeps."""


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_to_tell_right_from_wrong(trainer, watched) -> None:
    trained = trainer(epochs=8, learning_rate=0.01, shape=LoraShape(rank=4, alpha=8))[0].run(watched(), nothing)
    assert trained.epochs[trained.best]["loss"] < 0.5 * trained.epochs[0]["loss"]
    assert trained.epochs[trained.best]["auroc"] > 0.95


def test_epochs_are_measured_with_the_first_before_training(trainer, watched) -> None:
    trained = trainer(epochs=2)[0].run(watched(), nothing)
    assert len(trained.epochs) == 3
    assert {"loss", "auroc", "f1", "accuracy"} <= trained.epochs[0].keys()


@pytest.mark.parametrize("interrupt_after", [1, 4, 9])
def test_an_interrupted_run_goes_on_to_the_same_adapter(trainer, watched, tmp_path, interrupt_after: int) -> None:
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    for directory in (whole, interrupted):
        directory.mkdir()
    expected = trainer(whole, epochs=3)[0].run(watched(), nothing)
    with pytest.raises(KeyboardInterrupt):
        trainer(interrupted, epochs=3)[0].run(watched(interrupt_after=interrupt_after), nothing)
    torch.manual_seed(99)
    found = trainer(interrupted, epochs=3)[0].run(watched(), nothing)
    assert found.epochs == expected.epochs
    assert equal(found.adapter, expected.adapter)


def test_layers_that_are_kept_change_nothing(trainer, watched, tmp_path) -> None:
    found = []
    for kept_bytes in (0, 2**30):
        directory = tmp_path / str(kept_bytes)
        directory.mkdir()
        shape = LoraShape(rank=4, alpha=8, dropout=0.1, top_layers=1)
        run = trainer(directory, epochs=2, shape=shape, kept_bytes=kept_bytes)[0]
        found.append(run.run(watched(), nothing).epochs[-1])
    assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_a_resumed_run_says_what_is_done(trainer, watched, tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainer(epochs=3)[0].run(watched(interrupt_after=3), nothing)
    second = watched()
    trainer(epochs=3)[0].run(second, nothing)
    assert second.resumed_at > 0


def test_a_run_with_other_data_is_not_continued(trainer, watched) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainer(epochs=3)[0].run(watched(interrupt_after=3), nothing)
    with pytest.raises(RunMismatch, match="another data: "):
        trainer(epochs=3, data="y")[0].run(watched(), nothing)


def test_two_seeds_give_two_adapters(trainer, watched, tmp_path) -> None:
    found = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        found.append(trainer(tmp_path / str(seed), epochs=1, seed=seed)[0].run(watched(), nothing).adapter)
    assert not equal(*found)


def test_the_base_is_left_as_it_is(trainer, reward_base, watched) -> None:
    base = reward_base()
    weight = base.checkpoint.trunk.layers[0].mlp.up_proj.weight
    before = weight.clone()
    trainer(base=base, epochs=1)[0].run(watched(), nothing)
    assert torch.equal(weight, before)


@pytest.fixture
def poisoned(trainer, watched):
    """Runs a trainer whose weights become useless after three steps; gives the error."""

    def run(**plan) -> LossNotFinite:
        runner, model = trainer(**plan)

        class Poisoning(watched):
            def stepped(self, epoch: int, num_tokens: int, loss: float) -> None:
                super().stepped(epoch, num_tokens, loss)
                if len(self.losses) == 3:
                    with torch.no_grad():
                        next(iter(model.parameters.values())).fill_(math.nan)

        with pytest.raises(LossNotFinite) as raised:
            runner.run(Poisoning(), nothing)
        return raised.value

    return run


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(poisoned) -> None:
    assert re.search(r"in epoch 1, step 4, batch 1 \(lines [0-9, ]+\)", poisoned(epochs=1).message)


def test_what_was_saved_survives_a_loss_that_is_not_finite(poisoned, tmp_path) -> None:
    poisoned(epochs=1, save_every_steps=2)
    state = load_state(tmp_path, {"data": "x"})
    assert state.step == 2
    assert all(torch.isfinite(tensor).all() for tensor in state.adapter.values())


def test_the_newest_epoch_is_kept_where_that_is_wanted(trainer, watched) -> None:
    trained = trainer(epochs=3, patience=1, learning_rate=0.0, best_by="last")[0].run(watched(), nothing)
    assert (trained.best, trained.stopped_early) == (3, False)


def test_it_stops_when_no_epoch_is_better(trainer, watched) -> None:
    trained = trainer(epochs=9, patience=2, learning_rate=0.0)[0].run(watched(), nothing)
    assert (len(trained.epochs), trained.best, trained.stopped_early) == (3, 0, True)


def test_the_best_epoch_is_kept_and_not_the_last(trainer, watched) -> None:
    kept = []
    trained = trainer(epochs=4, learning_rate=0.3, shape=LoraShape(rank=4, alpha=8))[0].run(watched(), kept.append)
    losses = [measures["loss"] for measures in trained.epochs]
    assert trained.best == losses.index(min(losses))
    assert len(kept) == sum(losses[place] < min(losses[:place]) for place in range(1, len(losses)))


def test_epochs_are_measured_as_they_are_stored(trainer, watched) -> None:
    runner, model = trainer(stored_as="bfloat16", epochs=1, shape=LoraShape(rank=4, alpha=8))
    trained = runner.run(watched(), nothing)
    exact = model.weights()
    model.load({name: tensor.bfloat16() for name, tensor in exact.items()})
    measures = validate(model, runner._data.validation, runner._profile, batch_tokens=50)
    assert measures["loss"] == trained.epochs[1]["loss"]


def test_a_full_disk_leaves_the_state_of_before(trainer, watched, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        trainer(epochs=2)[0].run(watched(interrupt_after=3), nothing)
    before = (tmp_path / FILE_NAME).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("surefoot.whole_file.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        trainer(epochs=2)[0].run(watched(), nothing)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_damaged_state_is_refused_with_a_way_out(trainer, watched, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"nothing of the kind")
    with pytest.raises(RunMismatch, match="delete it to begin anew"):
        trainer()[0].run(watched(), nothing)
