"""The chance of a right choice among N, held against every draw there is; the choice itself is selection's."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import PoolsTooSmall
from surefoot.evaluation.best_of_n_curves import (
    LINES,
    Candidate,
    chances,
    chances_of_first,
    curves,
    pass_at_k,
    sizes_up_to,
    subsets,
)
from surefoot.selection import RankEntry, select

SCORES = st.none() | st.sampled_from([0.1, 0.4, 0.4000001, 0.9])
POOLS = st.lists(
    st.builds(
        lambda right, group, process, outcome: Candidate(
            right,
            None if group is None else f"{group}",
            group,
            None if process is None else dict.fromkeys(("prod", "min", "last", "mean"), process),
            outcome,
        ),
        st.booleans(),
        st.none() | st.integers(0, 2),
        SCORES,
        SCORES,
    ),
    min_size=1,
    max_size=6,
)


def chosen(line: str, pool: list[Candidate], subset: tuple[int, ...]) -> bool:
    """Whether the choice among some of a pool is right, as one ranked alone."""
    rule = LINES[line]
    entries = []
    for index in subset:
        candidate = pool[index]
        score = candidate.outcome if rule.strategy == "outcome" else (candidate.process or {}).get("prod")
        failed = rule.strategy != "majority" and score is None
        entries.append(
            RankEntry(index, candidate.answer, candidate.answer_group, score, score, score, score, failed=failed)
        )
    best = select(rule.strategy, entries).best
    return best is not None and pool[best].is_right


@pytest.mark.parametrize("line", [line for line, rule in LINES.items() if rule.strategy is not None])
@given(pool=POOLS)
def test_choices_are_those_of_every_draw(line, pool) -> None:
    for size in range(1, len(pool) + 1):
        draws = list(combinations(range(len(pool)), size))
        wanted = sum(chosen(line, pool, draw) for draw in draws) / len(draws)
        assert chances(line, pool, [size], (0,)) == [pytest.approx(wanted)]


@given(pool=POOLS)
def test_the_oracle_finds_what_every_draw_holds(pool) -> None:
    for size in range(1, len(pool) + 1):
        draws = list(combinations(pool, size))
        wanted = sum(any(candidate.is_right for candidate in draw) for draw in draws) / len(draws)
        assert chances("oracle", pool, [size], (0,)) == [pytest.approx(wanted)]


@given(pool=POOLS)
def test_random_choice_is_the_pass_rate_at_every_size(pool) -> None:
    rate = sum(candidate.is_right for candidate in pool) / len(pool)
    assert chances("random", pool, [1, len(pool)], (0,)) == [rate, rate]


@given(num=st.integers(1, 40), data=st.data())
def test_one_of_the_drawn_is_first(num, data) -> None:
    k = data.draw(st.integers(1, num))
    assert chances_of_first(num, k).sum() == pytest.approx(1)


def test_pass_at_k_with_more_than_the_wrong_ones_is_certain() -> None:
    assert pass_at_k(2, 6, 5) == 1


def test_few_draws_are_taken_once_each_and_many_by_chance() -> None:
    assert subsets(4, 2, np.random.default_rng(0)) == list(combinations(range(4), 2))
    drawn = subsets(32, 16, np.random.default_rng(0), num_draws=7)
    assert [len(set(subset)) for subset in drawn] == [16] * 7


def test_drawn_votes_come_near_to_all_draws() -> None:
    generator = np.random.default_rng(3)
    groups = generator.integers(0, 3, 12).tolist()
    pool = [Candidate(group == 0, str(group), group) for group in groups]
    (exact,) = chances("majority", pool, [6], (0,), num_draws=math.comb(12, 6))
    (drawn,) = chances("majority", pool, [6], (0,), num_draws=400)
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(0.25 / 400))


def test_the_seed_alone_decides_the_draws() -> None:
    pool = [Candidate(index % 3 == 0, str(index % 3), index % 3) for index in range(20)]
    first, again, other = (chances("majority", pool, [5], (seed,)) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("largest", "sizes"), [(1, [1]), (4, [1, 2, 4]), (6, [1, 2, 4, 6]), (32, [1, 2, 4, 8, 16, 32])]
)
def test_sizes_double_up_to_the_largest(largest, sizes) -> None:
    assert sizes_up_to(largest) == sizes


def test_spread_is_that_of_independent_draws() -> None:
    half = [Candidate(True), Candidate(False)]
    (random, _) = curves([half, half, half, half], [1, 2], seed=0)[-2:]
    assert (random.line, random.points[0].accuracy) == ("random", 0.5)
    assert random.points[0].spread == pytest.approx(math.sqrt(4 * 0.25) / 4)


def test_the_whole_pool_leaves_no_spread_to_a_choice() -> None:
    pool = [Candidate(index == 1, str(index), index, {"prod": 0.1 * index}) for index in range(4)]
    by_line = {curve.line: curve for curve in curves([pool, pool], [1, 4], seed=0)}
    assert [by_line[line].points[-1].spread for line in ("prm_prod", "majority", "oracle")] == [0, 0, 0]


def test_lines_without_scores_are_left_out() -> None:
    found = [curve.line for curve in curves([[Candidate(True, "1", 0, {"min": 0.5})]], [1], seed=0)]
    assert found == ["prm_min", "majority", "random", "oracle"]


def test_a_candidate_without_a_score_is_never_chosen_for_it() -> None:
    scored = Candidate(False, "2", 1, {"prod": 0.1})
    pool = [replace(scored, is_right=True, process=None), scored]
    assert chances("prm_prod", pool, [1, 2], (0,)) == [0, 0]


@pytest.mark.parametrize("pools", [[], [[Candidate(True)]]], ids=["no pool", "a small one"])
def test_pools_smaller_than_the_largest_n_are_refused(pools) -> None:
    with pytest.raises(PoolsTooSmall, match="--max-n"):
        curves(pools, [1, 2], seed=0)
