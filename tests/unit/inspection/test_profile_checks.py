"""A profile is held against a checkpoint; each thing that cannot work is named with what to do."""

from collections.abc import Callable
from typing import get_args

import pytest

from surefoot.inspection import Check, Contents, check_profile
from surefoot.inspection.profile_checks import CHECKS, CheckName
from surefoot.profiles import Profile, builtin_names, load_profile
from surefoot.rendering.fake_tokenizer import FakeTokenizer

WORDS = (" ки", " +", " -")


@pytest.fixture
def named() -> Callable[..., Check]:
    def check(contents: Contents, profile: str | Profile, name: str, tokenizer: FakeTokenizer | None = None) -> Check:
        profile = load_profile(profile) if isinstance(profile, str) else profile
        checks = check_profile(contents, profile, tokenizer or FakeTokenizer.for_profile(profile))
        return next(check for check in checks if check.name == name)

    return check


def changed(name: str, **values: object) -> Profile:
    return load_profile(name).model_copy(update=values)


def test_every_check_has_a_function() -> None:
    assert set(CHECKS) == set(get_args(CheckName))


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_profile_writes_the_probe_with_a_vocabulary_of_its_own(sort_of, named, name: str) -> None:
    assert named(sort_of("language_model"), name, "rendering").status == "ok"


def test_the_head_of_the_profile_is_there(sort_of, named) -> None:
    assert named(sort_of("process_mlp_head"), "qwen2.5-math-prm", "head").status == "ok"


def test_a_missing_head_is_an_error_that_lists_what_there_is(sort_of, named) -> None:
    check = named(sort_of("process_mlp_head"), "skywork-o1-open-prm", "head")
    assert (check.status, check.message) == ("error", "no head v_head.summary")
    assert "score (mlp_relu, 2 rows" in (check.fix or "")


@pytest.mark.parametrize("finding", ["outcome_mlp_head", "two_class_tokens"], ids=["rows", "layers"])
def test_a_head_of_another_build_is_an_error(sort_of, named, finding: str) -> None:
    check = named(sort_of(finding), "qwen2.5-math-prm", "head")
    assert check.status == "error"
    assert "mlp_relu with 2 rows" in check.message


def test_a_head_of_another_width_than_the_trunk_is_an_error(sort_of, named) -> None:
    check = named(sort_of("two_class_tokens", hidden_size=96), "trl-prm", "head")
    assert check.status == "error"
    assert "takes 64 values" in check.message


def test_a_language_models_words_need_its_output_layer(sort_of, named) -> None:
    assert named(sort_of("two_class_tokens"), "rlhflow-prm", "head").status == "error"


def test_a_tied_output_layer_counts(contents, named) -> None:
    assert named(contents({}, tie_word_embeddings=True), "rlhflow-prm", "head").status == "ok"


def test_a_lost_output_layer_is_an_error(contents, named) -> None:
    assert named(contents({}, tie_word_embeddings=False), "rlhflow-prm", "head").status == "error"


def test_a_head_behind_pickles_is_not_vouched_for(sort_of, named) -> None:
    assert named(sort_of("process_mlp_head", is_pickled=True), "qwen2.5-math-prm", "head").status == "warning"


def test_a_tag_that_is_two_tokens_is_an_error(sort_of, named) -> None:
    check = named(sort_of("language_model"), "math-shepherd", "rendering", FakeTokenizer())
    assert check.status == "error"
    assert "rendering.tag" in check.message


def test_a_tag_that_is_no_control_token_is_an_error(sort_of, named) -> None:
    assert named(sort_of("process_mlp_head"), "qwen2.5-math-prm", "rendering", FakeTokenizer()).status == "error"


class Untemplated(FakeTokenizer):
    """A tokenizer without a chat template, as transformers refuses one."""

    def chat_text(self, messages, *, add_generation_prompt, variables=None) -> str:
        raise ValueError("tokenizer.chat_template is not set")


def test_a_missing_chat_template_is_an_error(sort_of, named) -> None:
    check = named(sort_of("language_model"), "embedded-orm", "rendering", Untemplated())
    assert check.status == "error"
    assert "chat_template is not set" in check.message


class BeginsWithBos(FakeTokenizer):
    """A tokenizer whose chat template writes BOS twice."""

    def chat_text(self, messages, *, add_generation_prompt, variables=None) -> str:
        return "<s><s>" + super().chat_text(messages, add_generation_prompt=add_generation_prompt)


def test_a_doubled_bos_is_an_error(sort_of, named) -> None:
    check = named(sort_of("sequence_classifier"), "sequence-classification", "rendering", BeginsWithBos())
    assert (check.status, check.message) == ("error", "the input begins with BOS twice")


def test_a_verdict_of_several_tokens_is_an_error(sort_of, named) -> None:
    assert named(sort_of("language_model"), "er-prm", "verdict", FakeTokenizer(words=[" ки"])).status == "error"


def test_verdicts_are_shown_with_their_tokens(sort_of, named) -> None:
    check = named(sort_of("language_model"), "er-prm", "verdict", FakeTokenizer(words=WORDS))
    assert check.message == f"' +' is token {0x120001}, ' -' is token {0x120002}"


def test_two_equal_verdicts_are_an_error(sort_of, named) -> None:
    readout = load_profile("er-prm").readout.model_copy(update={"negative": " +"})
    assert named(sort_of("language_model"), changed("er-prm", readout=readout), "verdict").status == "error"


def test_a_tagged_text_wants_its_bos(sort_of, named) -> None:
    tokenizer = FakeTokenizer(has_bos=False, words=WORDS)
    assert named(sort_of("language_model"), "math-shepherd", "bos", tokenizer).status == "warning"


def test_separated_steps_go_without_a_bos_that_is_not_there(sort_of, named) -> None:
    assert named(sort_of("two_class_tokens"), "trl-prm", "bos", FakeTokenizer(has_bos=False)).status == "ok"


def test_a_limit_beyond_the_models_positions_is_an_error(sort_of, named) -> None:
    check = named(sort_of("two_class_tokens"), changed("trl-prm", max_input_tokens=8193), "context")
    assert check.status == "error"
    assert "max_input_tokens = 8192" in (check.fix or "")


def test_a_limit_of_exactly_the_models_positions_fits(sort_of, named) -> None:
    assert named(sort_of("two_class_tokens"), changed("trl-prm", max_input_tokens=8192), "context").status == "ok"


def test_a_log_ratio_asks_for_its_reference(sort_of, named) -> None:
    assert "reference_path" in (named(sort_of("language_model"), "eurus-prm", "reference").fix or "")


def test_without_a_tokenizer_nothing_is_vouched_for(sort_of) -> None:
    checks = check_profile(sort_of("two_class_tokens"), load_profile("trl-prm"), None)
    assert [check.status for check in checks if check.name == "rendering"] == ["warning"]
