"""AUROC of steps by kind of error and by place, for the model, the checks and both."""

import pytest

from surefoot.evaluation.scored_solution import SCORERS, ScoredSolution, score_table
from surefoot.evaluation.step_discrimination import LabelledSolution, by_family, by_position


def solution(steps, labels, family=None, failed=None) -> LabelledSolution:
    failed = failed or (False,) * len(steps)
    both = tuple(0.01 * score if fails else score for score, fails in zip(steps, failed, strict=True))
    return LabelledSolution(ScoredSolution(10, tuple(steps), failed=tuple(failed), both=both), tuple(labels), family)


DATA = [
    solution([0.9, 0.8], [True, True], "true"),
    solution([0.7, 0.6, 0.1], [True, False, None], "arithmetic_slip", (False, True, False)),
    solution([0.5, 0.85], [True, False], "wrong_operand"),
]


def test_wrong_steps_of_a_family_stand_against_all_right_steps() -> None:
    found = {group.name: group for group in by_family(DATA)}
    assert [(name, group.num_wrong, group.num_right) for name, group in found.items()] == [
        ("all", 2, 4),
        ("arithmetic_slip", 1, 4),
        ("wrong_operand", 1, 4),
    ]


def test_the_auroc_is_the_share_of_pairs_in_order() -> None:
    found = {group.name: group.auroc["prm"] for group in by_family(DATA)}
    assert found == {"all": 4 / 8, "arithmetic_slip": 3 / 4, "wrong_operand": 1 / 4}


def test_checks_alone_know_what_they_failed() -> None:
    found = {group.name: group.auroc["checks"] for group in by_family(DATA)}
    assert found == {"all": 0.75, "arithmetic_slip": 1.0, "wrong_operand": 0.5}


def test_both_take_the_verdicts_in() -> None:
    assert {group.name: group.auroc["both"] for group in by_family(DATA)}["arithmetic_slip"] == 1


def test_places_are_compared_with_themselves() -> None:
    found = {group.name: (group.num_wrong, group.num_right, group.auroc["prm"]) for group in by_position(DATA)}
    assert found == {"0": (0, 3, None), "1": (2, 1, 0.5)}


def test_late_places_are_taken_together() -> None:
    long = solution([0.5] * 15, [True] * 15)
    assert [(group.name, group.num_right) for group in by_position([long])][-1] == ("11+", 4)


def test_without_probabilities_there_is_no_combined_score() -> None:
    raw = LabelledSolution(ScoredSolution(1, (2.0, -1.0), failed=(False, False)), (True, False))
    (everything, _) = by_family([raw])
    assert everything.auroc == {"prm": 1.0, "checks": 0.5, "both": None}


def test_a_solution_that_could_not_be_scored_lies_below_all_others() -> None:
    scores = score_table([ScoredSolution(1), ScoredSolution(1, aggregates={"prod": -5.0})], "prm_prod")
    assert scores is not None
    assert scores[0] < scores[1]


@pytest.mark.parametrize("scorer", [name for name in SCORERS if name not in ("num_steps", "num_characters")])
def test_what_nothing_scored_has_no_scores(scorer) -> None:
    assert score_table([ScoredSolution(5)], scorer) is None
