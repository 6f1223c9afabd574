"""The picture of a training run, of reward models and of generators, which have losses alone."""

import pytest

from surefoot.evaluation.pictures import picture_paths
from surefoot.training.curve_plot import draw_training

OF_A_GENERATOR = [{"loss": 3.9}, {"training_loss": 1.2, "loss": 1.1}, {"training_loss": 0.9, "loss": 1.0}]
OF_A_REWARD_MODEL = [{**each, "accuracy": 0.6, "auroc": 0.7, "f1": 0.2} for each in OF_A_GENERATOR]


@pytest.mark.parametrize("epochs", [OF_A_GENERATOR, OF_A_REWARD_MODEL, OF_A_GENERATOR[:1], OF_A_REWARD_MODEL * 20])
def test_a_run_is_drawn_in_both_formats(tmp_path, epochs) -> None:
    draw_training(epochs, len(epochs) - 1, "prm", picture_paths(tmp_path, "curves"))
    assert sorted(path.name for path in tmp_path.iterdir() if path.stat().st_size > 5000) == [
        "curves.png",
        "curves.svg",
    ]
