"""Candidates: what of a model may be replaced under load, and what of it stays."""

import pytest
from pydantic import ValidationError

from surefoot.settings import ModelSettings


def model(*candidates: dict[str, str], **settings: object) -> ModelSettings:
    return ModelSettings(**{"name": "prm", "profile": "embedded-prm", "candidates": [*candidates]} | settings)


def test_an_adapter_is_all_that_differs() -> None:
    candidate = model({"label": "v2", "adapter": "tuned"}, dtype="float32").candidate("v2")
    assert (candidate.path, candidate.profile, candidate.adapter) == ("embedded", "embedded-prm", "tuned")
    assert (candidate.name, candidate.dtype) == ("prm", "float32")


def test_another_checkpoint_has_not_the_adapter_of_the_model() -> None:
    candidate = model({"label": "v2", "path": "/models/other"}, adapter="mine").candidate("v2")
    assert (candidate.path, candidate.adapter) == ("/models/other", None)


def test_another_profile_keeps_path_and_adapter() -> None:
    candidate = model({"label": "v2", "profile": "mine.toml"}, adapter="mine").candidate("v2")
    assert (candidate.path, candidate.adapter, candidate.profile) == ("embedded", "mine", "mine.toml")


def test_a_model_without_an_adapter_has_candidates_without_one() -> None:
    candidate = model({"label": "v2", "profile": "embedded-prm"}, adapter="none").candidate("v2")
    assert candidate.adapter is None


def test_none_serves_the_base_alone() -> None:
    assert model({"label": "v2", "adapter": "none"}).candidate("v2").adapter is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"candidates": [{"label": "v2"}, {"label": "v2"}]}, "same label"),
        ({"candidates": [{"label": "../v2"}]}, "pattern"),
        ({"candidates": [{"label": "v2", "url": "http://h"}]}, "Extra inputs"),
        ({"candidates": [{"label": "v2"}], "backend": "vllm"}, "candidates is read with backend = 'transformers' only"),
    ],
)
def test_what_cannot_be_is_refused(settings, said) -> None:
    with pytest.raises(ValidationError, match=said):
        ModelSettings(**{"name": "prm", "profile": "embedded-prm"} | settings)
