"""From readings to what is said of a solution; the mapped scales and what is undefined on the others."""

import math

import pytest

from surefoot.domain import RenderedInput, ScoreOptions
from surefoot.errors import AggregationNotDefined
from surefoot.profiles import load_profile
from surefoot.readout import Reading
from surefoot.segmentation import join_steps
from surefoot.summary import check_aggregation, summarise, unit_score

PRM = load_profile("embedded-prm")
REWARD = load_profile("sequence-classification")
RAW = REWARD.model_copy(update={"unit_map": None})
SIGNED_STEPS = PRM.model_copy(update={"scale": "signed", "unit_map": "half", "aggregation": "mean"})
UNMAPPED_STEPS = PRM.model_copy(update={"scale": "unbounded", "unit_map": None, "aggregation": "mean"})
PURE = load_profile("pure-prm")
SOLUTION = join_steps(("one", "two", "three"), "\n")
INPUT = RenderedInput(tuple(range(10)), (3, 6, 9))


def process(profile, scores, **options):
    readings = [Reading(score, (score, -score), None) for score in scores]
    return summarise(profile, SOLUTION, [readings], [INPUT], ScoreOptions(**options))


def outcome(profile, *scores, **options):
    readings = [[Reading(score, (score,), None)] for score in scores]
    return summarise(profile, SOLUTION, readings, [INPUT] * len(scores), ScoreOptions(**options))


def test_steps_carry_their_spans_and_raw_values() -> None:
    steps = process(PRM, (0.9, 0.8, 0.7)).steps
    assert [(step.index, step.span, step.raw) for step in steps] == [
        (0, (0, 3), (0.9, -0.9)),
        (1, (4, 7), (0.8, -0.8)),
        (2, (8, 13), (0.7, -0.7)),
    ]


def test_the_threshold_of_the_options_goes_before_the_profiles() -> None:
    scores = (0.9, 0.45, 0.7)
    assert [process(PRM, scores).first_error, process(PRM, scores, threshold=0.4).first_error] == [1, None]


def test_a_threshold_of_zero_is_a_threshold() -> None:
    assert process(PRM, (0.9, 0.1, 0.7), threshold=0.0).first_error is None


def test_probability_scores_have_a_first_error_distribution() -> None:
    score = process(PRM, (0.9, 0.8, 0.5))
    assert score.first_error_probabilities == pytest.approx((0.1, 0.9 * 0.2, 0.72 * 0.5))
    assert score.no_error_probability == pytest.approx(0.36)


def test_other_scales_have_none() -> None:
    score = process(SIGNED_STEPS, (0.5, -0.5, 1.0))
    assert (score.first_error_probabilities, score.no_error_probability) == (None, None)


def test_a_mapped_scale_multiplies_its_mapped_scores() -> None:
    score = process(SIGNED_STEPS, (0.5, -0.5, 0.0))
    assert score.aggregations["prod"] == pytest.approx(0.75 * 0.25 * 0.5)


def test_a_mapped_scale_averages_its_own_scores() -> None:
    assert process(SIGNED_STEPS, (0.5, -0.5, 0.3)).score == pytest.approx(0.1)


def test_an_unmapped_scale_has_no_products() -> None:
    assert set(process(UNMAPPED_STEPS, (3.0, -2.0, 0.0)).aggregations) == {"min", "mean", "last"}


@pytest.mark.parametrize("aggregation", ["prod", "sum_logprob"])
@pytest.mark.parametrize("profile", [UNMAPPED_STEPS, RAW])
def test_a_product_of_unmapped_scores_is_not_defined(profile, aggregation) -> None:
    with pytest.raises(AggregationNotDefined) as raised:
        check_aggregation(profile, aggregation)
    assert raised.value.param == "aggregation"


@pytest.mark.parametrize("profile", [PRM, SIGNED_STEPS, REWARD])
def test_a_product_of_mapped_scores_is_defined(profile) -> None:
    check_aggregation(profile, "prod")


def test_a_profiles_own_undefined_aggregation_is_refused() -> None:
    with pytest.raises(AggregationNotDefined):
        check_aggregation(UNMAPPED_STEPS.model_copy(update={"aggregation": "prod"}), None)


def test_an_outcome_model_has_no_use_for_its_profiles_aggregation() -> None:
    check_aggregation(RAW.model_copy(update={"aggregation": "prod"}), None)


def test_an_outcome_score_is_the_last_readings() -> None:
    score = outcome(REWARD, 1.0, 2.0, 3.5)
    assert (score.kind, score.score, score.raw, score.steps) == ("outcome", 3.5, (3.5,), ())


@pytest.mark.parametrize(("trace", "expected"), [(True, (1.0, 2.0, 3.5)), (False, None)])
def test_the_trace_comes_on_request(trace, expected) -> None:
    assert outcome(REWARD, 1.0, 2.0, 3.5, trace=trace).trace == expected


def test_tokens_of_every_input_count() -> None:
    assert outcome(REWARD, 1.0, 2.0, trace=True).num_tokens == 20


def test_a_product_weighs_as_it_is() -> None:
    score = process(PRM, (0.9, 0.8, 0.5))
    assert unit_score(PRM, score, None) == pytest.approx(0.36)


def test_a_sum_of_logarithms_weighs_as_the_product() -> None:
    score = process(PRM, (0.9, 0.8, 0.5), aggregation="sum_logprob")
    assert unit_score(PRM, score, "sum_logprob") == pytest.approx(0.36)


def test_a_minimum_of_probabilities_weighs_as_it_is() -> None:
    score = process(PRM, (0.9, 0.8, 0.5), aggregation="min")
    assert unit_score(PRM, score, "min") == pytest.approx(0.5)


def test_an_outcome_score_weighs_through_its_map() -> None:
    assert unit_score(REWARD, outcome(REWARD, 2.0), None) == pytest.approx(1 / (1 + math.exp(-2)))


def test_an_unmapped_score_has_no_weight() -> None:
    with pytest.raises(AggregationNotDefined, match="unit_map") as raised:
        unit_score(RAW, outcome(RAW, 2.0), None)
    assert raised.value.param == "strategy"


@pytest.mark.parametrize("aggregation", ["sum", "soft_min"])
def test_an_optional_aggregate_is_there_where_the_profile_defines_it(aggregation) -> None:
    assert aggregation in process(PURE, (0.5, -0.5, 0.0)).aggregations


@pytest.mark.parametrize("aggregation", ["sum", "soft_min"])
def test_an_optional_aggregate_is_absent_elsewhere(aggregation) -> None:
    assert aggregation not in process(PRM, (0.5, 0.5, 0.5)).aggregations


@pytest.mark.parametrize("aggregation", ["sum", "soft_min"])
def test_an_optional_aggregate_that_is_not_defined_is_refused_by_name(aggregation) -> None:
    with pytest.raises(AggregationNotDefined, match=f"'embedded-prm' does not define '{aggregation}'"):
        check_aggregation(PRM, aggregation)


def test_a_soft_minimum_takes_the_scores_as_they_are() -> None:
    assert process(PURE, (0.5, -0.5, 0.5)).score == pytest.approx(-0.5, abs=1e-3)
