"""The shipped process model as one checkpoint, for peers that apply no adapters or know no contrast of two words.

`causal` is the language model with the adapter merged into its weights; `classifier` is the same with the rows of the
two words as the head of a token classification, so that its class 1 is the step's probability.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from loadtests.comparison.token_inputs import PROFILE
from loadtests.servers.surefoot_server import SCORER, write_scorer
from surefoot.embedded.shipped_adapters import SHIPPED, adapter_directory
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.profiles import TokenContrast, load_profile
from surefoot.rendering.control_tokens import contrast_token_ids


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Directories of one model in both forms; `words` are the token ids that its readout contrasts, positive first.

    `causal` also holds the settings by which the service serves the same model.
    """

    causal: Path
    classifier: Path
    words: tuple[int, int]
    title: str


def merged_checkpoints(base: Path, out: Path) -> Checkpoints:
    """Write both forms of the base with the shipped adapter under `out`."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, LlamaForTokenClassification

    causal, classifier = out / "causal", out / "classifier"
    positive, negative = contrasted_words(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = PeftModel.from_pretrained(model, adapter_directory(SHIPPED, "process")).merge_and_unload()
    rows = model.get_output_embeddings().weight[[negative, positive]].detach().clone()
    model = model.to(torch.bfloat16)
    model.save_pretrained(causal)
    config = model.config
    config.num_labels = 2
    head = LlamaForTokenClassification(config).to(torch.bfloat16)
    head.model.load_state_dict(model.model.state_dict())
    head.score.weight.data.copy_(rows)
    head.score.bias.data.zero_()
    head.save_pretrained(classifier)
    for directory in (causal, classifier):
        copy_tokenizer(base, directory)
    write_scorer(causal, SCORER)
    return Checkpoints(causal, classifier, (positive, negative), "SmolLM2-135M + adapter")


def contrasted_words(base: Path) -> tuple[int, int]:
    """The token ids of the two words that the process model's readout contrasts, positive first."""
    profile = load_profile(PROFILE)
    if not isinstance(profile.readout, TokenContrast):
        raise TypeError(f"{PROFILE} does not contrast two words")
    positive, negative = contrast_token_ids(profile, profile.readout, HfTokenizer.from_directory(base))
    return positive, negative


def copy_tokenizer(base: Path, directory: Path) -> None:
    """Copy the tokenizer's files."""
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (base / name).exists():
            shutil.copy2(base / name, directory / name)
