"""Names of what computes a score change with it, and with nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.identity import base_id, fingerprint
from surefoot.profiles import load_profile

PROFILE = load_profile("embedded-prm")


@pytest.fixture
def copied(tiny, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny("llama"), tmp_path / "elsewhere"))


def load(path: Path):
    return load_checkpoint(path, "causal_lm", dtype="float32", device="cpu", attention="sdpa")


def name_of(path: Path, **changes) -> str:
    checkpoint = replace(load(path), **changes)
    return fingerprint(base_id(path), PROFILE, checkpoint, "transformers")


def test_base_id_does_not_depend_on_the_path(tiny, copied: Path) -> None:
    assert base_id(copied) == base_id(tiny("llama"))


def test_base_id_changes_with_a_byte_of_the_weights(tiny, copied: Path) -> None:
    file = copied / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert base_id(copied) != base_id(tiny("llama"))


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_base_id_changes_with_the_tokenizer(tiny, copied: Path, name: str) -> None:
    (copied / name).write_text((copied / name).read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert base_id(copied) != base_id(tiny("llama"))


def test_base_id_does_not_depend_on_notes_beside_the_weights(tiny, copied: Path) -> None:
    (copied / "README.md").write_text("Notes", encoding="utf-8")
    assert base_id(copied) == base_id(tiny("llama"))


def test_fingerprint_does_not_depend_on_the_path(tiny, copied: Path) -> None:
    assert name_of(copied) == name_of(tiny("llama"))


def test_fingerprint_changes_with_the_configuration(tiny, copied: Path) -> None:
    config = (copied / "config.json").read_text(encoding="utf-8")
    assert '"rms_norm_eps": 1e-06' in config
    (copied / "config.json").write_text(config.replace('"rms_norm_eps": 1e-06', '"rms_norm_eps": 1e-05'))
    assert name_of(copied) != name_of(tiny("llama"))


@pytest.mark.parametrize("change", [{"dtype": torch.bfloat16}, {"device": torch.device("cuda")}])
def test_fingerprint_changes_with_dtype_and_kind_of_device(tiny, change: dict) -> None:
    assert name_of(tiny("llama"), **change) != name_of(tiny("llama"))


def test_fingerprint_does_not_tell_devices_of_a_kind_apart(tiny) -> None:
    first, second = (name_of(tiny("llama"), device=torch.device(f"cuda:{number}")) for number in (0, 1))
    assert first == second


@pytest.mark.parametrize("change", [{"threshold": 0.4}, {"title": "Other"}])
def test_fingerprint_changes_with_the_profile(tiny, change: dict) -> None:
    checkpoint, base = load(tiny("llama")), base_id(tiny("llama"))
    changed = PROFILE.model_copy(update=change)
    assert fingerprint(base, changed, checkpoint, "transformers") != fingerprint(
        base, PROFILE, checkpoint, "transformers"
    )


def test_fingerprint_changes_with_the_backend(tiny) -> None:
    checkpoint, base = load(tiny("llama")), base_id(tiny("llama"))
    assert fingerprint(base, PROFILE, checkpoint, "other") != fingerprint(base, PROFILE, checkpoint, "transformers")


def test_names_are_sixteen_hex_digits(tiny) -> None:
    for name in (base_id(tiny("llama")), name_of(tiny("llama"))):
        assert len(name) == 16
        int(name, 16)
