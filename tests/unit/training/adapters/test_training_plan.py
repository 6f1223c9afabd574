"""Order, batches and rates are functions of the plan alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.training.held_out import held_out
from surefoot.training.plan import TrainingPlan, epoch_steps, learning_rate, packed

PLAN = TrainingPlan(batch_tokens=100, accumulate=2)
LENGTHS = st.lists(st.integers(1, 150), min_size=1, max_size=40)


def flat(steps) -> list[int]:
    return [index for step in steps for batch in step for index in batch]


@given(LENGTHS)
def test_an_epoch_has_every_example_once(lengths) -> None:
    assert sorted(flat(epoch_steps(lengths, PLAN, 0))) == list(range(len(lengths)))


@given(LENGTHS)
def test_a_batch_fits_the_budget_or_is_one_example(lengths) -> None:
    for batch in packed(lengths, 100):
        assert len(batch) == 1 or sum(lengths[place] for place in batch) <= 100


def test_a_step_has_as_many_batches_as_are_accumulated() -> None:
    assert [len(step) for step in epoch_steps([60] * 5, PLAN, 0)] == [2, 2, 1]


def test_each_epoch_has_an_order_of_its_own() -> None:
    orders = [flat(epoch_steps([10] * 30, PLAN, epoch)) for epoch in (0, 1, 0)]
    assert orders[0] == orders[2] != orders[1]


def test_each_seed_has_an_order_of_its_own() -> None:
    assert epoch_steps([10] * 30, PLAN, 0) != epoch_steps([10] * 30, replace(PLAN, seed=2), 0)


def test_the_rate_rises_to_its_peak_and_falls_to_a_tenth() -> None:
    plan = TrainingPlan(learning_rate=1.0, warm_up=0.1)
    rates = [learning_rate(step, 101, plan) for step in range(101)]
    assert rates[0] == pytest.approx(1 / 11)
    assert max(rates) == rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0.1 < rates[-1] < 0.101


@pytest.mark.parametrize("field", ["epochs", "batch_tokens", "accumulate", "save_every_steps"])
def test_a_plan_without_work_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(PLAN, **{field: 0})


def test_all_rows_of_a_problem_are_on_one_side() -> None:
    problems = [f"problem {index % 20}" for index in range(60)]
    chosen = held_out(problems, 0.25, 3)
    sides = [{problems[place] for place in range(60) if (place in chosen) is side} for side in (True, False)]
    assert sides[0].isdisjoint(sides[1])
    assert len(sides[0]) == 5


def test_one_problem_cannot_be_held_out() -> None:
    assert held_out(["same", "same"], 0.5, 0) == frozenset()
