"""One token from log-probabilities: temperature, top-k, nucleus."""

import pytest
import torch

from surefoot.domain import SamplingOptions
from surefoot.sampling.transformers_sampler import draw_token

LOGPROBS = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()


def drawn(count: int = 400, **options: object) -> list[int]:
    generator = torch.Generator().manual_seed(0)
    chosen = SamplingOptions(**{"temperature": 1.0, "top_p": 1.0} | options)
    return [draw_token(LOGPROBS, chosen, generator) for _ in range(count)]


def test_everything_may_be_drawn() -> None:
    assert set(drawn()) == {0, 1, 2, 3}


def test_frequencies_are_the_probabilities() -> None:
    counts = torch.bincount(torch.tensor(drawn(4000)), minlength=4)
    assert (counts / 4000).tolist() == pytest.approx([0.15, 0.5, 0.05, 0.3], abs=0.03)


def test_temperature_divides_log_probabilities() -> None:
    """At 0.5 probabilities are squared and normalised."""
    squares = LOGPROBS.exp() ** 2
    counts = torch.bincount(torch.tensor(drawn(4000, temperature=0.5)), minlength=4)
    assert (counts / 4000).tolist() == pytest.approx((squares / squares.sum()).tolist(), abs=0.03)


def test_temperature_zero_is_the_likeliest() -> None:
    assert set(drawn(5, temperature=0.0)) == {1}


def test_top_k_keeps_the_likeliest() -> None:
    assert set(drawn(top_k=2)) == {1, 3}


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    assert set(drawn(top_p=0.75)) == {1, 3}


def test_top_p_below_the_likeliest_keeps_that() -> None:
    assert set(drawn(top_p=0.1)) == {1}


def test_top_p_is_taken_of_what_top_k_left() -> None:
    assert set(drawn(top_k=1, top_p=0.9)) == {1}


def test_top_p_is_taken_after_temperature() -> None:
    """At 0.5 the likeliest has 0.68 of the mass, which alone reaches 0.6."""
    assert set(drawn(top_p=0.6)) == {1, 3}
    assert set(drawn(top_p=0.6, temperature=0.5)) == {1}
