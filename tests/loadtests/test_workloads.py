"""Workloads are what they are said to be, and equal seeds give equal ones."""

from itertools import pairwise

import pytest
from loadtests.comparison.roofline import ModelShape
from loadtests.workloads import WORKLOADS, workload


@pytest.mark.parametrize("name", WORKLOADS)
def test_equal_seeds_give_equal_texts_and_a_salt_other_problems(name: str) -> None:
    assert workload(name, 1, "a", 0.1) == workload(name, 1, "a", 0.1)
    assert workload(name, 1, "a", 0.1) != workload(name, 2, "a", 0.1)
    first, salted = (workload(name, 1, salt, 0.1).waves[0] for salt in "ab")
    assert all(one.candidates == other.candidates for one, other in zip(first, salted, strict=True))
    assert not {group.problem for group in first} & {group.problem for group in salted}


def test_a_quarter_of_the_candidates_to_rerank_are_duplicates() -> None:
    (wave,) = workload("W1", 1, "").waves
    assert len(wave) == 64
    assert {len(group.candidates) for group in wave} == {16}
    assert {len(set(group.candidates)) for group in wave} == {12}


def test_each_round_of_beams_goes_on_from_the_one_before() -> None:
    rounds = workload("W2", 1, "").waves
    assert len(rounds) == 8
    for before, after in pairwise(rounds):
        for grown, longer in zip(before, after, strict=True):
            assert {steps[:-1] for steps in longer.candidates} <= set(grown.candidates)
            assert len({steps[:-1] for steps in longer.candidates}) == 4


def test_distinct_solutions_share_nothing() -> None:
    (wave,) = workload("W5", 1, "", 0.2).waves
    assert len({group.problem[:8] for group in wave}) == len(wave)


def test_the_work_of_a_token_is_two_operations_a_weight_outside_the_embeddings() -> None:
    """Counted by hand for a layer of 8: four products of 8 x 8 (two of them half as wide) and three of 8 x 16."""
    shape = ModelShape.of(
        {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 3}
        | {"intermediate_size": 16}
    )
    assert shape.flops_per_token == 2 * 3 * (64 + 32 + 32 + 64 + 3 * 128)
    assert shape.attention_flops(10) == 4 * 3 * 2 * 4 * 10
