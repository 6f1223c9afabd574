"""The configuration that an inspection ends with, and its JSON."""

import json
import tomllib
from dataclasses import replace

import pytest

from surefoot.inspection import Check, Inspection, configuration_of, detect
from surefoot.rendering.fake_tokenizer import FakeTokenizer
from surefoot.settings import ModelSettings


def inspection(contents, *checks: Check, profile: str | None = "trl-prm") -> Inspection:
    return Inspection(contents, detect(contents, FakeTokenizer()), profile, checks)


def settings_of(found: Inspection) -> ModelSettings:
    (table,) = tomllib.loads(configuration_of(found))["models"]
    return ModelSettings(**table)


def test_the_configuration_is_what_settings_read(sort_of) -> None:
    contents = sort_of("two_class_tokens")
    model = settings_of(inspection(contents))
    assert (model.profile, model.path) == ("trl-prm", str(contents.path))


def test_a_path_with_quotes_survives(sort_of, tmp_path) -> None:
    odd = replace(sort_of("two_class_tokens"), path=tmp_path / 'a "b" ü')
    assert settings_of(inspection(odd)).path == str(odd.path)


def test_allowances_are_set(sort_of) -> None:
    check = Check("weights", "warning", "pickled", "convert", "pickle_weights")
    assert settings_of(inspection(sort_of("two_class_tokens"), check)).allow == ["pickle_weights"]


def test_a_log_ratio_gets_a_place_for_its_reference(sort_of) -> None:
    found = inspection(sort_of("language_model"), Check("reference", "warning", "a second one"), profile="eurus-prm")
    assert settings_of(found).reference_path is not None


@pytest.mark.parametrize(("status", "fits"), [("ok", True), ("warning", True), ("error", False)])
def test_only_errors_keep_a_profile_from_fitting(sort_of, status, fits) -> None:
    assert inspection(sort_of("two_class_tokens"), Check("head", status, "")).fits is fits


def test_without_a_profile_nothing_fits(sort_of) -> None:
    assert not inspection(sort_of("two_class_tokens"), profile=None).fits


def test_the_report_is_json(sort_of) -> None:
    found = json.loads(json.dumps(inspection(sort_of("two_class_tokens")).to_dict()))
    assert (found["verdict"], found["heads"][0]["weights"], found["max_positions"]) == ("several", "score", 8192)
