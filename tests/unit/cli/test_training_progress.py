"""What a person sees of a training run."""

import io

import pytest
from rich.console import Console

from surefoot.cli.training_progress import shown_training, told


@pytest.fixture
def shown():
    """The lines of a run off a terminal, whose clock each step moves by 6 s: `shown(num_tokens_done=0)`."""

    def run(num_tokens_done: int) -> list[str]:
        now = [0.0]
        console = Console(file=io.StringIO(), force_terminal=False, width=120)
        with shown_training(console, lambda: now[0]) as watcher:
            watcher.validated(0, {"loss": 1.0}, is_best=True)
            watcher.begun(4000, num_tokens_done)
            for _ in range(2):
                now[0] += 6
                watcher.stepped(0, 600, 0.5)
            watcher.validated(1, {"loss": 0.5, "auroc": 0.875}, is_best=True)
        return console.file.getvalue().splitlines()

    return run


def test_off_a_terminal_a_line_now_and_then_tells_speed_and_time_left(shown) -> None:
    assert shown(0)[1:-1] == ["epoch 1, loss 0.5000; 1,200 of 4,000 tokens, 100 tokens/s, 28 s left"]


def test_the_speed_of_a_resumed_run_is_its_own(shown) -> None:
    assert shown(2000)[1:-1] == [
        "resuming after 2,000 of 4,000 tokens",
        "epoch 1, loss 0.5000; 3,200 of 4,000 tokens, 100 tokens/s, 8 s left",
    ]


def test_epochs_are_told_with_the_best_so_far(shown) -> None:
    lines = shown(0)
    assert (lines[0], lines[-1]) == (
        "before training: loss 1.0000",
        "epoch 1: loss 0.5000, auroc 87.5%, the best so far",
    )


def test_shares_are_told_in_per_cent_and_losses_in_nats() -> None:
    assert told({"training_loss": 0.25, "f1": 0.5}) == "training loss 0.2500, f1 50.0%"
