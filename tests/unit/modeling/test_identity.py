"""A fingerprint changes with what its scores depend on, and with nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from surefoot.modeling.base_id import base_id
from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.identity import EngineIdentity, identity_of
from surefoot.profiles import load_profile

PROFILE = load_profile("embedded-prm")


def identity(*paths: Path) -> EngineIdentity:
    loaded = [load_checkpoint(path, "causal_lm", dtype="float32", device="cpu", attention="sdpa") for path in paths]
    return identity_of(*loaded)


def test_fingerprint_does_not_depend_on_the_path(tiny, copied: Path) -> None:
    assert identity(copied).fingerprint(PROFILE) == identity(tiny("llama")).fingerprint(PROFILE)


def test_fingerprint_is_sixteen_hex_digits(tiny) -> None:
    found = identity(tiny("llama")).fingerprint(PROFILE)
    assert len(found) == 16
    int(found, 16)


def test_fingerprint_changes_with_the_configuration(tiny, copied: Path, configure) -> None:
    configure(copied, rms_norm_eps=1e-5)
    assert identity(copied).base_id == identity(tiny("llama")).base_id
    assert identity(copied).fingerprint(PROFILE) != identity(tiny("llama")).fingerprint(PROFILE)


@pytest.mark.parametrize(
    "change",
    [{"dtype": "bfloat16"}, {"device": "cuda"}, {"backend": "other"}, {"base_id": "0"}, {"versions": {"torch": "0"}}],
)
def test_fingerprint_changes_with_what_computes(tiny, change: dict) -> None:
    found = identity(tiny("llama"))
    assert replace(found, **change).fingerprint(PROFILE) != found.fingerprint(PROFILE)


def test_fingerprint_does_not_tell_devices_of_a_kind_apart(tiny) -> None:
    found = identity(tiny("llama"))
    first, second = (replace(found, device=f"cuda:{number}").fingerprint(PROFILE) for number in (0, 1))
    assert first == second


@pytest.mark.parametrize("change", [{"threshold": 0.4}, {"title": "Other"}])
def test_fingerprint_changes_with_the_profile(tiny, change: dict) -> None:
    found = identity(tiny("llama"))
    assert found.fingerprint(PROFILE.model_copy(update=change)) != found.fingerprint(PROFILE)


def test_one_checkpoint_has_its_own_base(tiny) -> None:
    assert identity(tiny("llama")).base_id == base_id(tiny("llama"))


def test_two_checkpoints_have_a_base_that_covers_both(tiny) -> None:
    first, second, third = tiny("llama"), tiny("qwen2"), tiny("llama", seed=1)
    bases = {identity(*paths).base_id for paths in [(first,), (first, second), (second, first), (first, third)]}
    assert len(bases) == 4


def test_the_second_checkpoints_configuration_counts(tiny, copied: Path, configure) -> None:
    before = identity(tiny("qwen2"), copied).fingerprint(PROFILE)
    configure(copied, rms_norm_eps=1e-5)
    assert identity(tiny("qwen2"), copied).fingerprint(PROFILE) != before
