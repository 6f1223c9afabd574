"""Which profiles a checkpoint is offered: one where it shows it, several where it cannot, none where none reads it."""

from typing import get_args

import pytest

from surefoot.inspection import detect
from surefoot.inspection.findings import RULES, Finding, finding_of
from surefoot.profiles import builtin_names, load_profile
from surefoot.rendering.fake_tokenizer import FakeTokenizer

CERTAIN = {
    "process_mlp_head": "qwen2.5-math-prm",
    "outcome_mlp_head": "qwen2.5-math-rm",
    "summary_value_head": "skywork-o1-open-prm",
    "reward_token_head": "internlm2-reward",
    "regression_head": "openrlhf",
    "sequence_classifier": "sequence-classification",
}


def fitting(profile: str) -> FakeTokenizer:
    return FakeTokenizer.for_profile(load_profile(profile))


def test_every_finding_has_a_rule() -> None:
    assert set(RULES) == set(get_args(Finding))


def test_rules_name_builtin_profiles_only() -> None:
    assert {name for rule in RULES.values() for name in rule.profiles} <= set(builtin_names())


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_profile_is_a_candidate_of_some_checkpoint(sort_of, name: str) -> None:
    findings = [finding for finding, rule in RULES.items() if name in rule.profiles]
    offered = [detect(sort_of(finding), fitting(name)).candidates for finding in findings]
    assert name in {candidate.profile for candidates in offered for candidate in candidates}


@pytest.mark.parametrize("finding", get_args(Finding))
def test_each_sort_of_checkpoint_is_recognised_by_its_header(sort_of, finding: str) -> None:
    assert finding_of(sort_of(finding)) == finding


@pytest.mark.parametrize("finding", get_args(Finding))
def test_each_sort_of_checkpoint_is_recognised_without_its_weights(sort_of, finding: str) -> None:
    assert finding_of(sort_of(finding, is_pickled=True)) == finding


@pytest.mark.parametrize(("finding", "profile"), CERTAIN.items())
def test_a_head_that_one_profile_reads_is_certain(sort_of, finding: str, profile: str) -> None:
    found = detect(sort_of(finding), fitting(profile))
    assert (found.verdict, [candidate.profile for candidate in found.candidates]) == ("one", [profile])


def test_only_certain_findings_go_without_a_question() -> None:
    assert {finding for finding, rule in RULES.items() if rule.question is None} == set(CERTAIN)


def test_a_token_classifier_is_asked_for_its_separator(sort_of) -> None:
    found = detect(sort_of("two_class_tokens"), FakeTokenizer())
    assert (found.verdict, {candidate.profile for candidate in found.candidates}) == (
        "several",
        {"trl-prm", "pure-prm"},
    )
    assert "separator" in (found.question or "")


def test_a_single_candidate_left_is_not_a_guess(sort_of) -> None:
    found = detect(sort_of("three_class_tokens"), FakeTokenizer())
    assert (found.verdict, len(found.candidates)) == ("several", 1)


def test_a_language_model_is_never_guessed(sort_of) -> None:
    found = detect(sort_of("language_model"), fitting("math-shepherd"))
    assert found.verdict == "several"
    assert {"math-shepherd", "rlhflow-prm", "eurus-prm"} <= {candidate.profile for candidate in found.candidates}


def test_what_the_vocabulary_cannot_write_is_ruled_out_with_the_reason(sort_of) -> None:
    found = detect(sort_of("language_model"), FakeTokenizer(words=["Yes", "No", " Yes", " No"]))
    assert "math-shepherd" not in {candidate.profile for candidate in found.candidates}
    reasons = {candidate.profile: candidate.reasons_against for candidate in found.ruled_out}
    assert "rendering.tag" in reasons["math-shepherd"][0]


def test_a_head_whose_tag_is_missing_fits_nothing(sort_of) -> None:
    found = detect(sort_of("process_mlp_head"), FakeTokenizer())
    assert (found.verdict, [candidate.profile for candidate in found.ruled_out]) == ("none", ["qwen2.5-math-prm"])


def test_an_unknown_head_says_what_was_looked_for(contents) -> None:
    found = detect(contents({"odd.weight": (7, 64)}, architectures=["OddModel"]), FakeTokenizer())
    assert (found.verdict, found.finding) == ("none", None)
    assert all(rule.seen in found.seen for rule in RULES.values())


def test_a_candidate_says_what_speaks_for_it(sort_of) -> None:
    (candidate,) = detect(sort_of("process_mlp_head"), fitting("qwen2.5-math-prm")).candidates
    assert "head score (mlp_relu, 2 rows, no bias)" in candidate.reasons_for
