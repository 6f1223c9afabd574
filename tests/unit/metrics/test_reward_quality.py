"""What is told of rewards: distributions, groups, disagreement and drift."""

import pytest


def test_scores_of_steps_fall_into_buckets(telemetry, value, prm, stepwise) -> None:
    telemetry.solutions_scored(prm, [[stepwise(0.005, 0.3, 0.999)]])
    assert [value("step_score_bucket", model="prm", le=bound) for bound in ("0.01", "0.3", "0.99", "1.0")] == [
        1,
        2,
        2,
        3,
    ]


def test_a_solution_counts_by_the_models_own_aggregation(telemetry, value, prm, stepwise) -> None:
    telemetry.solutions_scored(prm, [[stepwise(0.25, 0.5, score=0.125)]])
    assert value("solution_score_sum", model="prm") == 0.25


def test_unbounded_scores_have_buckets_of_their_own(telemetry, value, reward, whole) -> None:
    telemetry.solutions_scored(reward, [[whole(-30.0)], [whole(7.0)]])
    assert value("solution_score_bucket", model="reward", le="-20.0") == 1
    assert value("solution_score_bucket", model="reward", le="10.0") == 2


def test_the_first_error_has_a_relative_place(telemetry, value, prm, stepwise) -> None:
    telemetry.solutions_scored(prm, [[stepwise(0.9, 0.1, 0.5, 0.5, first_error=1), stepwise(0.9)]])
    assert (value("first_error_position_sum", model="prm"), value("first_error_position_count", model="prm")) == (
        0.5,
        1,
    )


def test_steps_are_counted(telemetry, value, prm, stepwise) -> None:
    telemetry.solutions_scored(prm, [[stepwise(0.9, 0.1), stepwise(0.9)]])
    assert (value("solution_steps_sum", model="prm"), value("solution_steps_count", model="prm")) == (3, 2)


def test_saturated_steps_stand_beside_all_steps(telemetry, value, prm, stepwise) -> None:
    telemetry.solutions_scored(prm, [[stepwise(0.001, 0.01, 0.99, 0.995)]])
    assert (value("saturated_probabilities_total"), value("probabilities_total")) == (2, 4)


def test_of_an_outcome_model_the_solutions_saturate(telemetry, value, orm, whole) -> None:
    telemetry.solutions_scored(orm, [[whole(0.999), whole(0.5)]])
    assert (value("saturated_probabilities_total"), value("probabilities_total")) == (1, 2)


def test_scores_without_bounds_never_saturate(telemetry, has_series, reward, whole) -> None:
    telemetry.solutions_scored(reward, [[whole(0.999), whole(0.5)]])
    assert not has_series("probabilities_total")


def test_the_variance_is_within_a_problem(telemetry, value, orm, whole) -> None:
    telemetry.solutions_scored(orm, [[whole(0.0), whole(1.0)], [whole(0.5)], [whole(0.5)]])
    assert (value("group_score_variance_sum"), value("group_score_variance_count")) == (0.25, 1)


@pytest.mark.parametrize(("scores", "bound"), [((0.1, 0.2, 0.3), "0.9"), ((0.3, 0.2, 0.1), None)])
def test_longer_solutions_with_higher_scores_correlate(telemetry, value, orm, whole, scores, bound) -> None:
    group = [whole(score, text="a" * length) for length, score in enumerate(scores, 1)]
    telemetry.solutions_scored(orm, [group])
    below = value("group_score_length_correlation_bucket", le=bound or "-0.9")
    assert below == (0 if bound else 1)


def test_solutions_of_one_length_correlate_with_nothing(telemetry, has_series, orm, whole) -> None:
    telemetry.solutions_scored(orm, [[whole(0.1), whole(0.2), whole(0.3)]])
    assert not has_series("group_score_length_correlation")


@pytest.mark.parametrize(("others", "differing"), [((0.9, 0.1, 0.2), 0), ((0.1, 0.9, 0.2), 1)])
def test_models_disagree_where_their_bests_differ(telemetry, value, whole, others, differing) -> None:
    pairs = [(whole(a), whole(b)) for a, b in zip((3.0, 2.0, 1.0), others, strict=True)]
    telemetry.models_compared("prm", "orm", pairs)
    labels = {"process": "prm", "outcome": "orm"}
    assert (value("disagreeing_groups_total", **labels), value("compared_groups_total", **labels)) == (differing, 1)


def test_the_order_of_both_models_is_compared(telemetry, value, whole) -> None:
    telemetry.models_compared("prm", "orm", [(whole(score), whole(-score)) for score in (1.0, 2.0, 3.0)])
    assert value("process_outcome_rank_correlation_bucket", le="-0.9") == 1


def test_one_solution_is_no_comparison(telemetry, has_series, whole) -> None:
    telemetry.models_compared("prm", "orm", [(whole(1.0), whole(1.0))])
    assert not has_series("compared_groups_total")


def test_drift_is_told_once_both_windows_are_full(telemetry, value, has_series, orm, whole) -> None:
    telemetry.solutions_scored(orm, [[whole(index / 20)] for index in range(39)])
    early = has_series("score_drift_psi{")
    telemetry.solutions_scored(orm, [[whole(0.99)]])
    assert (early, value("score_drift_psi", model="orm") > 0.25) == (False, True)


def test_what_a_loading_model_scores_is_no_reward(telemetry, has_series, orm, whole) -> None:
    telemetry.watch(lambda: {"orm": "loading"}, dict)
    telemetry.solutions_scored(orm, [[whole(0.5), whole(0.6)]])
    assert not has_series("solution_score")


def test_no_solutions_leave_no_trace(telemetry, has_series, orm) -> None:
    telemetry.solutions_scored(orm, [])
    assert not has_series("solution_score")
