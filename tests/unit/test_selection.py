import dataclasses
import math
from typing import get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surefoot.domain import Strategy
from surefoot.selection import STRATEGIES, RankEntry, select

few_examples = settings(max_examples=20, deadline=None)
VOTING = ("majority", "process_weighted", "outcome_weighted")
SCORING = ("process", "outcome", "process_outcome")
NEEDED = [(name, field) for name, rule in STRATEGIES.items() for field in rule.scores]

every_strategy = pytest.mark.parametrize("strategy", get_args(Strategy))
voting = pytest.mark.parametrize("strategy", VOTING)
scoring = pytest.mark.parametrize("strategy", SCORING)

units = st.floats(0.01, 0.99)


def entry(index, group=None, unit=0.5, **changes):
    answer = None if group is None else f"answer {group}"
    scores = {"process": unit, "process_unit": unit, "outcome": unit, "outcome_unit": unit}
    return RankEntry(index, answer, group, **(scores | changes))


@st.composite
def entry_lists(draw, min_size=1, failures=True):
    size = draw(st.integers(min_size, 10))
    return [
        entry(
            index,
            draw(st.none() | st.integers(0, 3)),
            process=draw(st.floats(-100, 100)),
            process_unit=draw(units),
            outcome=draw(st.floats(-100, 100)),
            outcome_unit=draw(units),
            failed=draw(st.booleans()) if failures else False,
        )
        for index in range(size)
    ]


def test_every_strategy_has_a_rule():
    assert set(STRATEGIES) == set(get_args(Strategy)) == {*VOTING, *SCORING}


# Score strategies.


def test_process_ranks_by_the_process_score():
    entries = [entry(0, process=-3.0), entry(1, process=2.0), entry(2, process=0.5)]
    assert select("process", entries).order == (1, 2, 0)


def test_outcome_ranks_by_the_outcome_score():
    entries = [entry(0, outcome=-3.0), entry(1, outcome=2.0), entry(2, outcome=0.5)]
    assert select("outcome", entries).order == (1, 2, 0)


def test_process_outcome_is_relevant_by_the_product_of_unit_scores():
    entries = [entry(0, process_unit=0.9, outcome_unit=0.1), entry(1, process_unit=0.5, outcome_unit=0.5)]
    assert select("process_outcome", entries).relevance == pytest.approx({0: 0.09, 1: 0.25})


@scoring
def test_candidate_without_an_answer_can_win_by_score(strategy):
    result = select(strategy, [entry(0, group=1, unit=0.2), entry(1, unit=0.8)])
    assert (result.best, result.answer) == (1, None)


@scoring
def test_votes_of_a_score_strategy_weigh_their_count(strategy):
    result = select(strategy, [entry(0, 7), entry(1, 8, 0.9), entry(2, 7)])
    assert [(vote.answer, vote.weight, vote.indices) for vote in result.votes] == [
        ("answer 7", 2.0, (0, 2)),
        ("answer 8", 1.0, (1,)),
    ]


# Votes; single cases stand in test_selection_votes.py.


@few_examples
@given(entry_lists(), st.data())
def test_majority_ignores_scores(entries, data):
    rescored = [dataclasses.replace(e, process_unit=data.draw(units), outcome_unit=None) for e in entries]
    assert select("majority", rescored) == select("majority", entries)


@voting
@few_examples
@given(entries=entry_lists())
def test_shares_sum_to_one_over_the_answers(strategy, entries):
    result = select(strategy, entries)
    assume(result.votes)
    assert math.fsum(result.relevance[vote.indices[0]] for vote in result.votes) == pytest.approx(1)


# Every strategy.


@every_strategy
@few_examples
@given(entries=entry_lists())
def test_order_holds_every_index_once_with_failed_ones_last(strategy, entries):
    result = select(strategy, entries)
    failed = [e.index for e in entries if e.failed]
    assert sorted(result.order) == list(range(len(entries)))
    assert list(result.order[len(entries) - len(failed) :]) == failed


@every_strategy
@few_examples
@given(entries=entry_lists())
def test_only_failed_candidates_have_no_relevance(strategy, entries):
    relevance = select(strategy, entries).relevance
    assert {index: value is None for index, value in relevance.items()} == {e.index: e.failed for e in entries}


@every_strategy
@few_examples
@given(entries=entry_lists())
def test_relevance_never_rises_along_the_order(strategy, entries):
    result = select(strategy, entries)
    live = [value for index in result.order if (value := result.relevance[index]) is not None]
    assert live == sorted(live, reverse=True)


@every_strategy
@few_examples
@given(entries=entry_lists(), shuffle=st.randoms(use_true_random=False))
def test_selection_does_not_depend_on_the_order_of_entries(strategy, entries, shuffle):
    shuffled = list(entries)
    shuffle.shuffle(shuffled)
    assert select(strategy, shuffled) == select(strategy, entries)


@every_strategy
@few_examples
@given(entries=entry_lists(), shuffle=st.randoms(use_true_random=False))
def test_winning_answer_does_not_depend_on_the_numbering_of_candidates(strategy, entries, shuffle):
    result = select(strategy, entries)
    assume(not result.tie)
    numbers = list(range(len(entries)))
    shuffle.shuffle(numbers)
    renumbered = [dataclasses.replace(e, index=number) for e, number in zip(entries, numbers, strict=True)]
    assert select(strategy, renumbered).answer == result.answer


@every_strategy
@few_examples
@given(entries=entry_lists(), gain=st.floats(0, 1))
def test_a_winner_that_improves_stays_the_winner(strategy, entries, gain):
    best = select(strategy, entries).best
    assume(best is not None)
    won = entries[best]
    raised = dataclasses.replace(
        won,
        process=won.process + gain,
        outcome=won.outcome + gain,
        process_unit=won.process_unit + gain * (1 - won.process_unit),
        outcome_unit=won.outcome_unit + gain * (1 - won.outcome_unit),
    )
    improved = [raised if e.index == best else e for e in entries]
    assert select(strategy, improved).best == best


@every_strategy
def test_nothing_is_best_where_everything_failed(strategy):
    result = select(strategy, [entry(0, 0, failed=True), entry(1, 0, failed=True)])
    assert (result.best, result.order, result.agreement, result.votes) == (None, (0, 1), None, ())


@every_strategy
def test_nothing_to_choose_from_is_no_error(strategy):
    assert select(strategy, []).best is None


@every_strategy
def test_failed_candidates_need_no_scores(strategy):
    failed = RankEntry(1, None, None, failed=True)
    assert select(strategy, [entry(0, 0), failed]).best == 0


@pytest.mark.parametrize(("strategy", "field"), NEEDED)
def test_missing_score_is_named(strategy, field):
    entries = [entry(0, 0), dataclasses.replace(entry(1, 0), **{field: None})]
    with pytest.raises(ValueError, match=f"entry 1 has no {field} score"):
        select(strategy, entries)


@every_strategy
def test_repeated_index_is_refused(strategy):
    with pytest.raises(ValueError, match="distinct"):
        select(strategy, [entry(0, 0), entry(0, 1)])


@every_strategy
def test_agreement_is_the_share_of_the_most_common_answer(strategy):
    entries = [entry(0, 0), entry(1, 1), entry(2, 1), entry(3, None), entry(4, 0, failed=True)]
    assert select(strategy, entries).agreement == pytest.approx(2 / 3)


@every_strategy
@few_examples
@given(entries=entry_lists())
def test_votes_stand_by_weight_then_by_first_index(strategy, entries):
    votes = select(strategy, entries).votes
    assert list(votes) == sorted(votes, key=lambda vote: (-vote.weight, vote.indices[0]))


# Abstention.


@every_strategy
def test_abstains_where_the_best_stays_below_the_bar(strategy):
    result = select(strategy, [entry(0, 0), entry(1, 1), entry(2, 2)], abstain_below=0.8)
    assert (result.best, result.answer) == (None, None)


@every_strategy
def test_a_best_exactly_at_the_bar_is_kept(strategy):
    entries = [entry(0, 0), entry(1, 1)]
    bar = select(strategy, entries).relevance[0]
    assert select(strategy, entries, abstain_below=bar).best == 0


@every_strategy
@few_examples
@given(entries=entry_lists(), bar=st.floats(-100, 100))
def test_abstention_changes_nothing_but_the_best(strategy, entries, bar):
    result, free = select(strategy, entries, abstain_below=bar), select(strategy, entries)
    assert dataclasses.replace(result, best=free.best, answer=free.answer) == free


# Ties.


@every_strategy
def test_equal_tops_are_a_tie_that_the_lowest_index_wins(strategy):
    result = select(strategy, [entry(2, 2), entry(1, 1), entry(0, 0, unit=0.5)])
    assert (result.tie, result.best) == (True, 0)


@pytest.mark.parametrize("strategy", sorted({*get_args(Strategy)} - {"majority"}))
def test_different_tops_are_no_tie(strategy):
    assert select(strategy, [entry(0, 0, 0.4), entry(1, 1, 0.6), entry(2, 2, 0.4)]).tie is False


@every_strategy
@few_examples
@given(entries=entry_lists(), seed=st.integers())
def test_the_seed_alone_decides_a_tie(strategy, entries, seed):
    assert select(strategy, entries, tie_seed=seed) == select(strategy, list(reversed(entries)), tie_seed=seed)


@every_strategy
def test_seeds_reach_every_tied_candidate_and_no_other(strategy):
    entries = [*(entry(index, index) for index in range(3)), entry(3, failed=True), entry(4, None, unit=0.1)]
    assert {select(strategy, entries, tie_seed=seed).best for seed in range(50)} == {0, 1, 2}


@every_strategy
@few_examples
@given(entries=entry_lists(), seed=st.integers())
def test_a_seed_changes_nothing_without_a_tie(strategy, entries, seed):
    free = select(strategy, entries)
    assume(not free.tie)
    assert select(strategy, entries, tie_seed=seed) == free
