"""Loading a checkpoint directory: safetensors only, no code of the checkpoint's own, nothing missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)
from transformers.utils import logging as transformers_logging

from surefoot.errors import CheckpointDamaged, CheckpointMissing, SettingsInvalid
from surefoot.profiles import ModelArchitecture

DtypeName = Literal["auto", "float32", "bfloat16", "float16"]

_LOADERS: dict[ModelArchitecture, Any] = {
    "causal_lm": AutoModelForCausalLM,
    "token_classification": AutoModelForTokenClassification,
    "sequence_classification": AutoModelForSequenceClassification,
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model in evaluation mode: its trunk (the decoder) and the whole, which holds the head."""

    model: Any
    trunk: Any
    path: Path
    dtype: torch.dtype
    device: torch.device
    max_positions: int


def choose_device(name: str) -> torch.device:
    """`auto` is the first CUDA device where there is one, else the CPU. Raises `SettingsInvalid` for an absent one."""
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    chosen, found = torch.device(name), torch.cuda.device_count()
    if chosen.type == "cuda" and (chosen.index or 0) >= found:
        raise SettingsInvalid(
            f"device is {name}, but torch {torch.__version__} finds {found} CUDA devices; set it to auto or cpu",
            param="device",
        )
    return chosen


def choose_dtype(name: DtypeName, device: torch.device) -> torch.dtype:
    """`auto` is bf16 where the processor multiplies it natively, else fp32."""
    if name != "auto":
        chosen: torch.dtype = getattr(torch, name)
        return chosen
    native = (
        torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else _cpu_multiplies_bf16()
    )
    return torch.bfloat16 if native else torch.float32


def dtype_name(dtype: torch.dtype) -> Any:
    """`bfloat16` for `torch.bfloat16`, as settings and cards spell it."""
    return str(dtype).removeprefix("torch.")


def _cpu_multiplies_bf16() -> bool:
    """oneDNN emulates bf16 on CPUs without the instructions, at a fraction of the speed of fp32."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a checkpoint, checked for presence and for whole headers.

    Raises `CheckpointMissing` (no directory, no config, no safetensors) and `CheckpointDamaged` (a listed shard is
    missing, a file is cut short, the index is unreadable), each naming the file and the way out.
    """
    if not path.is_dir():
        raise CheckpointMissing(f"model directory {path} does not exist", param="path")
    if not (path / "config.json").is_file():
        raise CheckpointMissing(f"{path} has no config.json: it is not a Hugging Face checkpoint", param="path")
    index = path / "model.safetensors.index.json"
    files = [path / name for name in _listed_files(index)] if index.is_file() else sorted(path.glob("*.safetensors"))
    if not files:
        raise CheckpointMissing(
            f"{path} has no .safetensors weights; pickled weights are not loaded: convert them first", param="path"
        )
    for file in files:
        _check_whole(file)
    return files


def _listed_files(index: Path) -> list[str]:
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise CheckpointDamaged(f"{index} cannot be read ({cause!r}); copy it again", param="path") from cause


def _check_whole(file: Path) -> None:
    if not file.is_file():
        raise CheckpointDamaged(
            f"{file.name} is listed in the checkpoint's index but missing from {file.parent}", param="path"
        )
    try:
        with safe_open(file, framework="pt"):
            pass
    except (SafetensorError, OSError) as cause:
        raise CheckpointDamaged(f"{file} is cut short or damaged ({cause}); copy it again", param="path") from cause


def load_checkpoint(
    path: Path, architecture: ModelArchitecture, *, dtype: DtypeName, device: str, attention: str
) -> Checkpoint:
    """Load a checkpoint for scoring with the given attention implementation.

    Raises `CheckpointMissing` or `CheckpointDamaged`; weights that the architecture needs and the checkpoint lacks are
    damage, never initialised at random.
    """
    weight_files(path)
    # A server's log is no place for progress bars.
    transformers_logging.disable_progress_bar()
    where = choose_device(device)
    kind = choose_dtype(dtype, where)
    try:
        config = AutoConfig.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)
        model, report = _LOADERS[architecture].from_pretrained(
            str(path),
            config=config,
            dtype=kind,
            attn_implementation=attention,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as cause:
        raise CheckpointDamaged(
            f"{path} cannot be loaded as {architecture}: {_first_line(cause)}", param="path"
        ) from cause
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointDamaged(
            f"{path} lacks {len(missing)} weights that {type(model).__name__} needs, among them {missing[0]}",
            param="path",
        )
    model.eval().to(where)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    text_config = config.get_text_config()
    return Checkpoint(
        model=model,
        trunk=model.get_decoder() if architecture == "causal_lm" else model.base_model,
        path=path,
        dtype=kind,
        device=where,
        max_positions=int(getattr(text_config, "max_position_embeddings", 0) or 4096),
    )


def _first_line(cause: Exception) -> str:
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
