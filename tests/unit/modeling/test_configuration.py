"""A config.json that cannot be used is named, with what is known and what would have to be allowed."""

from pathlib import Path

import pytest

from surefoot.errors import CheckpointDamaged, CheckpointMissing, CheckpointRefused
from surefoot.modeling.checkpoint import load_checkpoint

OWN_CODE = """
import torch
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput


class OwnConfig(PretrainedConfig):
    model_type = "own_decoder"


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.embed = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def forward(self, input_ids, use_cache=None, **anything):
        return BaseModelOutput(last_hidden_state=self.embed(input_ids).cumsum(1))
"""


def load(path: Path, allow: tuple = ()):
    return load_checkpoint(path, "trunk", dtype="float32", device="cpu", attention="surefoot_packed", allow=allow)


@pytest.fixture
def own_code(copied: Path, configure, rewrite) -> Path:
    """A checkpoint whose model only its own Python code knows."""
    auto_map = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    configure(copied, model_type="own_decoder", auto_map=auto_map, architectures=["OwnModel"])
    rewrite(copied, lambda weights: {"embed.weight": weights["model.embed_tokens.weight"]})
    (copied / "own.py").write_text(OWN_CODE, encoding="utf-8")
    return copied


def test_missing_configuration_is_named(copied: Path) -> None:
    (copied / "config.json").unlink()
    with pytest.raises(CheckpointMissing, match=r"no config\.json"):
        load(copied)


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_unreadable_configuration_is_damage(copied: Path, text: str) -> None:
    (copied / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match=r"config\.json (cannot be read|holds no JSON object).*copy it again"):
        load(copied)


def test_unknown_model_type_is_named_with_what_is_near(copied: Path, configure) -> None:
    configure(copied, model_type="lama")
    with pytest.raises(CheckpointDamaged, match=r"model_type 'lama', none of the \d+ .* near to it are .*llama"):
        load(copied)


def test_missing_model_type_is_damage(copied: Path) -> None:
    (copied / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match="model_type None"):
        load(copied)


def test_value_that_the_type_cannot_have_is_damage(copied: Path, configure) -> None:
    configure(copied, num_attention_heads="four")
    with pytest.raises(CheckpointDamaged, match=r"config\.json cannot be used"):
        load(copied)


def test_code_of_the_checkpoints_own_is_refused_with_the_way_out(own_code: Path) -> None:
    with pytest.raises(CheckpointRefused, match=r"'own_decoder'.*allow = \[\"remote_code\"\].*read that code"):
        load(own_code)


def test_permission_for_pickles_does_not_run_code(own_code: Path) -> None:
    with pytest.raises(CheckpointRefused):
        load(own_code, ("pickle_weights",))


@pytest.fixture
def modules_here(tmp_path: Path, monkeypatch) -> None:
    """Keeps the copies of such code that transformers makes in the test's directory."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))


@pytest.mark.usefixtures("modules_here")
def test_allowed_code_runs_and_is_told_of(own_code: Path, caplog) -> None:
    trunk = load(own_code, ("remote_code",)).trunk
    assert type(trunk).__name__ == "OwnModel"
    assert f"{own_code} runs Python code of its own" in caplog.text


@pytest.mark.usefixtures("modules_here")
def test_a_trunk_of_allowed_code_is_never_packed(own_code: Path) -> None:
    """It takes any argument and would add up neighbours."""
    from surefoot.modeling.trunk_forward import TrunkForward

    forward = TrunkForward("own", load(own_code, ("remote_code",)))
    together = forward.hidden_states([[5, 6, 7], [3, 4]], [[], [1]])
    assert not forward.is_packed
    assert together.tolist() == forward.hidden_states([[3, 4]], [[1]]).tolist()
