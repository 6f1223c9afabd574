"""A model without a profile: the checkpoint's own is used where it shows one, and asked for where it does not."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from surefoot.errors import ProfileAmbiguous, ProfileInvalid
from surefoot.profiles import Profile
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.detection import profile_of


@pytest.fixture
def resolved(tmp_path: Path) -> Callable[..., Profile]:
    """The profile of a model at `path`, configured with these settings."""

    def resolve(path: Path | str, **changes: str) -> Profile:
        return profile_of(ModelSettings(name="mine", path=str(path), **changes), Settings(cache_dir=tmp_path / "cache"))

    return resolve


def test_a_named_profile_is_taken_without_looking(resolved) -> None:
    assert resolved("/nowhere", profile="trl-prm").name == "trl-prm"


def test_a_certain_checkpoint_gets_its_profile(resolved, tiny) -> None:
    assert resolved(tiny("qwen2.5-math-prm")).name == "qwen2.5-math-prm"


def test_what_was_detected_is_logged(resolved, tiny, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="surefoot.wiring.detection"):
        resolved(tiny("llama_reward"))
    assert "model mine: profile sequence-classification" in caplog.text


def test_an_ambiguous_checkpoint_is_refused_with_the_candidates(resolved, tiny) -> None:
    with pytest.raises(ProfileAmbiguous, match=r"trl-prm - .* pure-prm - ") as refusal:
        resolved(tiny("qwen2_tokens"))
    assert refusal.value.param == "profile"


def test_a_language_model_is_refused(resolved, tiny) -> None:
    with pytest.raises(ProfileAmbiguous, match="rlhflow-prm"):
        resolved(tiny("llama"))


def test_a_checkpoint_that_nothing_reads_is_refused_with_the_reason(resolved, tiny) -> None:
    with pytest.raises(ProfileInvalid, match="no built-in profile reads"):
        resolved(tiny("llama_reward", num_labels=5))


def test_the_embedded_model_is_refused_without_being_prepared(resolved, tmp_path) -> None:
    with pytest.raises(ProfileAmbiguous, match="embedded-orm, embedded-prm"):
        resolved("embedded")
    assert not (tmp_path / "cache").exists()


async def test_a_detected_model_is_served(serve, tiny) -> None:
    served = await serve({"mine": ("auto", tiny("llama_reward"))})
    (card,) = served.registry.cards()
    assert card.profile == "sequence-classification"
