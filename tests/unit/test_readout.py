"""Raw values to scores: activation, temperature, class meaning, and what must never travel on as a reward."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import NonFiniteScore, StepCountMismatch
from surefoot.profiles import Profile, TokenContrast, UnitMap, load_profile
from surefoot.profiles.schema import ReadoutSpec
from surefoot.readout import READERS, UNIT_MAPS, read, sigmoid, softmax

PRM = load_profile("embedded-prm")
TRL = load_profile("trl-prm")
REWARD = load_profile("sequence-classification")
PURE = load_profile("pure-prm")
SKYWORK = load_profile("skywork-o1-open-prm")
EURUS = load_profile("eurus-prm")
IMPLICIT = load_profile("implicit-prm")

THREE_WORDS = {"positive": "+", "negative": "-", "neutral": "0"}

finite = st.floats(-1e300, 1e300)


def with_readout(profile: Profile, **fields) -> Profile:
    scale = "probability" if fields.get("activation") == "sigmoid" else profile.scale
    return profile.model_copy(update={"readout": profile.readout.model_copy(update=fields), "scale": scale})


def test_every_readout_method_has_a_reader() -> None:
    specs = get_args(get_args(ReadoutSpec)[0])
    assert set(READERS) == {get_args(spec.model_fields["method"].annotation)[0] for spec in specs}


def test_every_unit_map_has_a_function() -> None:
    assert set(UNIT_MAPS) == set(get_args(UnitMap))


@given(st.lists(finite, min_size=1, max_size=5))
def test_softmax_is_a_distribution(logits) -> None:
    shares = softmax(logits)
    assert sum(shares) == pytest.approx(1)
    assert all(0 <= share <= 1 for share in shares)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=2), st.floats(-50, 50))
def test_softmax_does_not_see_a_shift(logits, shift) -> None:
    assert softmax([value + shift for value in logits]) == pytest.approx(softmax(logits))


def test_temperature_divides_the_logits() -> None:
    assert softmax([3.0, 1.0], temperature=2.0) == pytest.approx(softmax([1.5, 0.5]))


@given(finite)
def test_sigmoid_stays_between_zero_and_one(value) -> None:
    assert 0 <= sigmoid(value) <= 1


@given(st.floats(-30, 30))
def test_sigmoid_is_symmetric(value) -> None:
    assert sigmoid(value) + sigmoid(-value) == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "value", "mapped"), [("identity", 0.3, 0.3), ("half", -1.0, 0.0), ("half", 0.5, 0.75)]
)
def test_unit_maps_follow_their_definition(name, value, mapped) -> None:
    assert UNIT_MAPS[name](value) == mapped


def test_a_contrast_is_the_positive_share() -> None:
    [reading] = read(PRM, ((1.0, 3.0),), 1)
    assert reading.score == pytest.approx(1 / (1 + math.exp(2)))


def test_a_contrast_names_its_classes() -> None:
    [reading] = read(PRM, ((1.0, 1.0),), 1)
    assert reading.probabilities == {"positive": 0.5, "neutral": 0.0, "negative": 0.5}


def test_classes_are_named_by_column() -> None:
    [reading] = read(TRL, ((3.0, 1.0),), 1)
    assert reading.score == pytest.approx(1 / (1 + math.exp(2)))


@pytest.mark.parametrize(("counts", "score"), [(True, 2 / 3), (False, 1 / 3)])
def test_neutral_counts_as_the_profile_says(counts, score) -> None:
    profile = with_readout(TRL, classes=("negative", "neutral", "positive"), neutral_is_positive=counts)
    assert read(profile, ((0.0, 0.0, 0.0),), 1)[0].score == pytest.approx(score)


def test_raw_values_are_kept_before_activation() -> None:
    assert read(with_readout(TRL, temperature=3.0), ((3.0, 1.0),), 1)[0].raw == (3.0, 1.0)


def test_a_scalar_is_centred_and_scaled() -> None:
    profile = with_readout(REWARD, mean=2.0, std=4.0)
    assert read(profile, ((10.0,),), 1)[0].score == 2.0


def test_a_scalar_may_pass_a_sigmoid() -> None:
    profile = with_readout(REWARD, activation="sigmoid", temperature=2.0)
    assert read(profile, ((2.0,),), 1)[0].score == pytest.approx(sigmoid(1.0))


def test_a_scalar_has_no_classes() -> None:
    assert read(REWARD, ((2.0,),), 1)[0].probabilities is None


def test_there_is_one_reading_per_row() -> None:
    assert len(read(PRM, ((1.0, 2.0),) * 4, 4)) == 4


@pytest.mark.parametrize("num_rows", [0, 1, 3])
def test_another_number_of_rows_than_steps_is_an_error(num_rows) -> None:
    with pytest.raises(StepCountMismatch, match=f"2 steps but {num_rows} scores"):
        read(PRM, ((1.0, 2.0),) * num_rows, 2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_values_that_are_not_finite_are_an_error(value, place) -> None:
    row = [1.0, 1.0]
    row[place] = value
    with pytest.raises(NonFiniteScore, match="step 1"):
        read(PRM, ((1.0, 2.0), tuple(row)), 2)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=4))
def test_finite_logits_give_finite_scores(rows) -> None:
    assert all(0 <= reading.score <= 1 for reading in read(PRM, tuple(rows), len(rows)))


def test_a_difference_is_signed() -> None:
    [reading] = read(PURE, ((3.0, 1.0),), 1)
    assert reading.score == pytest.approx(-math.tanh(1.0))


def test_a_difference_names_its_classes() -> None:
    [reading] = read(PURE, ((0.0, math.log(3)),), 1)
    assert reading.probabilities == pytest.approx({"positive": 0.75, "neutral": 0.0, "negative": 0.25})


def test_a_contrast_may_be_a_share_of_the_vocabulary() -> None:
    [reading] = read(with_readout(PRM, normalise="vocabulary"), ((1.0, 2.0, 4.0),), 1)
    assert reading.score == pytest.approx(math.exp(-3))


def test_shares_of_the_vocabulary_leave_room_for_other_words() -> None:
    [reading] = read(with_readout(PRM, normalise="vocabulary"), ((1.0, 2.0, 4.0),), 1)
    assert sum(reading.probabilities.values()) == pytest.approx(math.exp(-3) + math.exp(-2))


def test_a_value_passes_a_sigmoid() -> None:
    assert read(SKYWORK, ((2.0,),), 1)[0].score == pytest.approx(sigmoid(2.0))


def test_a_log_ratio_is_multiplied_by_beta() -> None:
    assert [reading.score for reading in read(EURUS, ((10.0,), (-20.0,)), 2)] == pytest.approx([0.01, -0.02])


def test_a_log_ratio_may_be_the_steps_own_share() -> None:
    scores = [reading.score for reading in read(IMPLICIT, ((10.0,), (30.0,), (0.0,)), 3)]
    assert scores == pytest.approx([0.5, 1.0, -1.5])


def test_a_log_ratio_keeps_its_value_before_beta() -> None:
    assert read(EURUS, ((10.0,),), 1)[0].raw == (10.0,)


@pytest.mark.parametrize(("neutral_is_positive", "score"), [(True, 0.75), (False, 0.25)])
def test_a_contrast_of_three_words_is_a_softmax_over_all(neutral_is_positive: bool, score: float) -> None:
    profile = with_readout(PRM, **THREE_WORDS, neutral_is_positive=neutral_is_positive)
    [reading] = read(profile, ((0.0, 0.0, math.log(2)),), 1)
    assert reading.score == pytest.approx(score)
    assert reading.probabilities == pytest.approx({"positive": 0.25, "negative": 0.25, "neutral": 0.5})


@pytest.mark.parametrize("wrong", [{"normalise": "vocabulary"}, {"neutral": "+"}])
def test_three_words_are_different_and_share_all_probability(wrong) -> None:
    with pytest.raises(ValueError, match=r"readout\."):
        TokenContrast(method="token_contrast", **THREE_WORDS | wrong)
