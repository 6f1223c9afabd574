import dataclasses

import pytest

from surefoot.selection import RankEntry, ballots, select

voting = pytest.mark.parametrize("strategy", ["majority", "process_weighted", "outcome_weighted"])
weighted = pytest.mark.parametrize("strategy", ["process_weighted", "outcome_weighted"])


def entry(index, group=None, unit=0.5, *, failed=False):
    answer = None if group is None else f"answer {group}"
    return RankEntry(index, answer, group, process_unit=unit, outcome_unit=unit, failed=failed)


def test_majority_counts_candidates():
    result = select("majority", [entry(0, 0, 0.99), entry(1, 1, 0.1), entry(2, 1, 0.1)])
    assert (result.best, result.answer) == (1, "answer 1")


@pytest.mark.parametrize(
    ("strategy", "field"), [("process_weighted", "process_unit"), ("outcome_weighted", "outcome_unit")]
)
def test_weighted_vote_sums_the_scores_of_an_answer(strategy, field):
    weights = (0.9, 0.5, 0.6)
    entries = [
        dataclasses.replace(entry(i, group), **{field: w})
        for i, (group, w) in enumerate(zip((0, 1, 1), weights, strict=True))
    ]
    result = select(strategy, entries)
    assert result.relevance == pytest.approx({0: 0.45, 1: 0.55, 2: 0.55})


@weighted
def test_best_of_the_winning_answer_is_its_best_scored_candidate(strategy):
    assert select(strategy, [entry(0, 0, 0.6), entry(1, 1, 0.3), entry(2, 1, 0.4)]).order == (2, 1, 0)


@weighted
def test_vote_is_spelled_as_its_best_candidate_spells_it(strategy):
    entries = [entry(0, 0, 0.2), dataclasses.replace(entry(1, 0, 0.7), answer="0.5")]
    assert select(strategy, entries).votes[0].answer == "0.5"


def test_majority_spells_the_vote_as_its_first_candidate_does():
    entries = [dataclasses.replace(entry(0, 0, 0.1), answer="1/2"), dataclasses.replace(entry(1, 0, 0.9), answer="0.5")]
    assert select("majority", entries).votes[0].answer == "1/2"


@voting
def test_no_answer_is_no_vote(strategy):
    result = select(strategy, [entry(0, None, 0.9), entry(1, 3, 0.1), entry(2, failed=True)])
    assert (result.order, result.relevance) == ((1, 0, 2), {0: 0.0, 1: 1.0, 2: None})


@voting
def test_without_votes_nothing_is_best(strategy):
    result = select(strategy, [entry(0), entry(1)])
    assert (result.best, result.answer, result.votes, result.tie) == (None, None, (), False)


@weighted
def test_weights_that_are_all_zero_give_no_shares(strategy):
    result = select(strategy, [entry(0, 0, 0.0), entry(1, 1, 0.0)])
    assert (result.relevance, result.tie) == ({0: 0.0, 1: 0.0}, True)


def test_failed_candidates_and_those_without_an_answer_cast_no_ballot():
    entries = [entry(0, 0, 0.9), entry(1), entry(2, 1, 0.4, failed=True), entry(3, 1, 0.2)]
    assert ballots("process_weighted", entries) == [(0, 0.9), (1, 0.2)]


def test_every_ballot_of_a_majority_weighs_one():
    assert ballots("majority", [entry(0, 0, 0.9), entry(1, 0, 0.1)]) == [(0, 1.0), (0, 1.0)]
