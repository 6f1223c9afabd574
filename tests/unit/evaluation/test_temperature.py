"""Temperatures: the likelihood is the readout's, and the one that data were drawn with is found."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.errors import LabelsDegenerate, ScaleNotProbability
from surefoot.evaluation.temperature import fit_temperature, golden_section, log_probabilities
from surefoot.profiles import Profile, load_profile
from surefoot.readout import read


def profile_with(readout: dict) -> Profile:
    values = load_profile("trl-prm").model_dump()
    return Profile.model_validate({**values, "readout": readout})


CONTRAST = {"method": "token_contrast", "positive": "+", "negative": "-"}
READOUTS: dict[str, tuple[dict, int]] = {
    "contrast": (CONTRAST, 2),
    "contrast over the vocabulary": (CONTRAST | {"normalise": "vocabulary"}, 3),
    "two classes": ({"method": "token_classification"}, 2),
    "three classes": ({"method": "token_classification", "classes": ("negative", "neutral", "positive")}, 3),
    "three classes, neutral wrong": (
        {
            "method": "token_classification",
            "classes": ("positive", "neutral", "negative"),
            "neutral_is_positive": False,
        },
        3,
    ),
    "value head": ({"method": "value_head"}, 1),
}


def raw_values(name: str, number: int, seed: int) -> np.ndarray:
    raw = np.random.default_rng(seed).normal(0, 2, (number, READOUTS[name][1]))
    if name == "contrast over the vocabulary":
        raw[:, 2] = np.logaddexp.reduce(raw, axis=1)
    return raw


@pytest.mark.parametrize("name", READOUTS)
@settings(max_examples=10, deadline=None)
@given(temperature=st.floats(0.2, 20), seed=st.integers(0, 2**32 - 1))
def test_probabilities_are_those_that_the_service_reads(name, temperature, seed) -> None:
    profile = profile_with(READOUTS[name][0] | {"temperature": temperature})
    raw = raw_values(name, 7, seed)
    log_right, log_wrong = log_probabilities(profile, raw, temperature)
    served = [reading.score for reading in read(profile, tuple(map(tuple, raw.tolist())), 7)]
    assert np.exp(log_right) == pytest.approx(served, abs=1e-9)
    assert np.exp(log_right) + np.exp(log_wrong) == pytest.approx(np.ones(7), abs=1e-9)


def test_a_sure_and_wrong_model_is_not_infinitely_unlikely() -> None:
    _, log_wrong = log_probabilities(load_profile("trl-prm"), np.array([[0.0, 800.0]]), 1.0)
    assert log_wrong.tolist() == [-800.0]


@pytest.mark.parametrize("name", READOUTS)
@settings(max_examples=4, deadline=None)
@given(true=st.floats(0.3, 8), own=st.sampled_from([0.5, 1.0, 3.0]), seed=st.integers(0, 999))
def test_the_temperature_that_labels_were_drawn_with_is_found(name, true, own, seed) -> None:
    raw = raw_values(name, 10_000, seed) * true
    profile = profile_with(READOUTS[name][0] | {"temperature": own})
    log_right, _ = log_probabilities(profile, raw, true)
    labels = np.random.default_rng(seed + 1).random(len(raw)) < np.exp(log_right)
    found = fit_temperature(profile, raw, labels)
    assert found.temperature == pytest.approx(true, rel=0.15)
    assert found.bound is None


def test_where_every_temperature_is_as_good_the_profiles_own_stays() -> None:
    profile = profile_with({"method": "token_classification", "temperature": 2.5})
    assert fit_temperature(profile, np.zeros((4, 2)), np.array([True, False, True, True])).temperature == 2.5


@pytest.mark.parametrize(("flipped", "bound", "factor"), [(False, "lower", 0.01), (True, "upper", 100.0)])
def test_labels_that_determine_no_temperature_end_at_a_bound(flipped, bound, factor) -> None:
    raw = np.array([[0.0, 3.0], [0.0, 2.0], [0.0, -2.0], [0.0, -3.0]]) * 0.01
    labels = np.array([True, True, False, False]) ^ flipped
    found = fit_temperature(load_profile("trl-prm"), raw, labels)
    assert (found.bound, found.temperature) == (bound, pytest.approx(factor))


@pytest.mark.parametrize("labels", [[True, True], [False, False]])
def test_labels_of_one_side_are_refused(labels) -> None:
    with pytest.raises(LabelsDegenerate, match="labelled wrong"):
        fit_temperature(load_profile("trl-prm"), np.zeros((2, 2)), np.array(labels))


def test_a_scale_that_is_no_probability_is_refused_by_name() -> None:
    signed = load_profile("trl-prm").model_dump() | {"scale": "signed"}
    signed["readout"] |= {"reduce": "difference"}
    with pytest.raises(ScaleNotProbability, match="'trl-prm' gives signed scores"):
        log_probabilities(Profile.model_validate(signed), np.zeros((2, 2)), 1.0)


@given(bottom=st.floats(-5, 5))
def test_golden_section_finds_the_bottom_of_a_valley(bottom) -> None:
    assert golden_section(lambda x: abs(x - bottom), -6, 6, 1e-7) == pytest.approx(bottom, abs=1e-6)


def test_golden_section_stays_inside() -> None:
    asked: list[float] = []

    def falling(x: float) -> float:
        asked.append(x)
        return -x

    assert golden_section(falling, 1.0, 2.0, 1e-6) == pytest.approx(2.0, abs=1e-6)
    assert 1.0 <= min(asked) <= max(asked) <= 2.0 + math.ulp(2.0)
