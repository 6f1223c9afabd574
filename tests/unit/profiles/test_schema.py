"""The schema of profiles: no key is ignored, and parts that contradict each other are refused."""

import math

import pytest
from pydantic import ValidationError

from surefoot.profiles import Profile, builtin_names, load_profile


def fields_of(name: str) -> dict:
    return load_profile(name).model_dump()


def changed(name: str, /, **changes) -> Profile:
    return Profile.model_validate(fields_of(name) | changes)


def in_table(name: str, table: str, /, **changes) -> Profile:
    return changed(name, **{table: fields_of(name)[table] | changes})


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("table", ["rendering", "readout", "splitting", "tolerance"])
def test_an_unknown_key_in_a_table_is_refused_by_name(name, table) -> None:
    with pytest.raises(ValidationError, match="mistyped"):
        in_table(name, table, mistyped=1)


@pytest.mark.parametrize("name", builtin_names())
def test_an_unknown_key_at_the_top_is_refused_by_name(name) -> None:
    with pytest.raises(ValidationError, match="mistyped"):
        changed(name, mistyped=1)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("embedded-prm", "causal_lm"),
        ("embedded-orm", "causal_lm"),
        ("eurus-prm", "causal_lm"),
        ("thinkprm", "causal_lm"),
        ("trl-prm", "trunk"),
        ("skywork-o1-open-prm", "trunk"),
        ("sequence-classification", "trunk"),
    ],
)
def test_the_readout_says_which_architecture_it_reads(name, architecture) -> None:
    assert load_profile(name).readout.architecture == architecture


@pytest.mark.parametrize(
    ("name", "table", "changes"),
    [
        ("embedded-prm", "splitting", {"separator": ""}),
        ("embedded-prm", "readout", {"temperature": 0.0}),
        ("trl-prm", "readout", {"classes": ("positive", "positive")}),
        ("trl-prm", "readout", {"classes": ("positive", "neutral")}),
        ("trl-prm", "readout", {"classes": ("good", "bad")}),
        ("sequence-classification", "readout", {"std": 0.0}),
        ("sequence-classification", "readout", {"activation": "tanh"}),
        ("sequence-classification", "readout", {"activation": "sigmoid"}),
        ("embedded-prm", "rendering", {"method": "unknown"}),
        ("embedded-prm", "tolerance", {"float32": 0.0}),
        ("pure-prm", "readout", {"reduce": "mass"}),
        ("skywork-o1-open-prm", "readout", {"activation": "none"}),
        ("skywork-o1-open-prm", "rendering", {"read": "first"}),
        ("eurus-prm", "readout", {"beta": 0.0}),
        ("eurus-prm", "readout", {"beta": math.inf}),
        ("eurus-prm", "rendering", {"boundary": "sentence"}),
        ("qwen2.5-math-prm", "readout", {"head": {"weights": "score", "layers": "three"}}),
        ("thinkprm", "readout", {"samples": 4}),
        ("thinkprm", "readout", {"samples": 0}),
        ("thinkprm", "readout", {"cue": ""}),
        ("thinkprm", "readout", {"stop": ("",)}),
        ("rlhflow-orm", "rendering", {"opening": "I say:"}),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name, table, changes) -> None:
    with pytest.raises(ValidationError):
        in_table(name, table, **changes)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("embedded-prm", {"kind": "outcome"}),
        ("embedded-orm", {"kind": "process"}),
        ("embedded-prm", {"scale": "unbounded"}),
        ("sequence-classification", {"scale": "probability"}),
        ("sequence-classification", {"unit_map": "half"}),
        ("sequence-classification", {"unit_map": "identity"}),
        ("embedded-prm", {"threshold": math.nan}),
        ("embedded-prm", {"aggregation": "product"}),
        ("embedded-prm", {"max_input_tokens": 0}),
        ("embedded-prm", {"name": "Mine!"}),
        ("pure-prm", {"extra_aggregations": ("sum",)}),
        ("pure-prm", {"extra_aggregations": ("sum", "soft_min", "min")}),
        ("trl-prm", {"aggregation": "soft_min"}),
        ("eurus-prm", {"unit_map": "half"}),
        ("eurus-prm", {"readout": fields_of("trl-prm")["readout"], "scale": "probability", "unit_map": None}),
        ("trl-prm", {"readout": fields_of("eurus-prm")["readout"], "scale": "unbounded"}),
        ("thinkprm", {"rendering": fields_of("sequence-classification")["rendering"]}),
        ("thinkprm", {"rendering": fields_of("rlhflow-orm")["rendering"]}),
        ("trl-prm", {"readout": fields_of("sequence-classification")["readout"], "scale": "unbounded"}),
        ("trl-prm", {"golden": ({"problem": "p", "steps": ("a", "b"), "scores": (0.5,)},)}),
        ("rlhflow-orm", {"golden": ({"problem": "p", "steps": ("a", "b"), "scores": (0.5, 0.5)},)}),
    ],
)
def test_parts_that_contradict_each_other_are_refused(name, changes) -> None:
    with pytest.raises(ValidationError):
        changed(name, **changes)


def test_a_probability_needs_no_map() -> None:
    assert load_profile("embedded-prm").scores_map_to_unit == "identity"


@pytest.mark.parametrize("unit_map", ["sigmoid", None])
def test_another_scale_maps_as_it_declares(unit_map) -> None:
    assert changed("sequence-classification", unit_map=unit_map).scores_map_to_unit == unit_map


def test_a_sigmoid_makes_a_scalar_a_probability() -> None:
    readout = fields_of("sequence-classification")["readout"] | {"activation": "sigmoid"}
    profile = changed("sequence-classification", scale="probability", unit_map=None, readout=readout)
    assert profile.scores_map_to_unit == "identity"


def test_neutral_may_be_a_class() -> None:
    assert in_table("trl-prm", "readout", classes=("negative", "neutral", "positive")).readout.classes[1] == "neutral"


def test_a_profile_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_profile("embedded-prm").threshold = 0.7


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("math-shepherd", "probability"),
        ("prm800k", "probability"),
        ("pure-prm", "signed"),
        ("skywork-o1-open-prm", "probability"),
        ("eurus-prm", "unbounded"),
        ("internlm2-reward", "unbounded"),
        ("thinkprm", "probability"),
    ],
)
def test_the_scale_follows_from_the_readout(name, scale) -> None:
    assert load_profile(name).scale_of_readout == scale


def test_several_critiques_may_differ() -> None:
    assert in_table("thinkprm", "readout", samples=4, sampling_temperature=0.6).readout.samples == 4


@pytest.mark.parametrize(("name", "num_scores"), [("trl-prm", 2), ("rlhflow-orm", 1)])
def test_golden_values_are_one_a_step_or_one(name, num_scores) -> None:
    golden = {"problem": "p", "steps": ("a", "b"), "scores": (0.5,) * num_scores}
    assert len(changed(name, golden=(golden,)).golden[0].scores) == num_scores
