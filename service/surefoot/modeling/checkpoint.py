"""Loading a checkpoint directory: nothing missing, nothing made up, and no code run that was not allowed by name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_MAPPING, AutoModel, AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from surefoot.errors import CheckpointDamaged, SettingsInvalid
from surefoot.inspection.checkpoint_files import Permission, read_config_json
from surefoot.modeling import internlm2
from surefoot.modeling.configuration import needs_remote_code, read_config
from surefoot.modeling.kernel_caches import bound_kernel_caches
from surefoot.modeling.malloc_arenas import bound_malloc_arenas
from surefoot.modeling.weights import is_pickled, stored_tensors, weight_files
from surefoot.profiles import ModelArchitecture

log = logging.getLogger(__name__)

WantedDtype = Literal["auto", "float32", "bfloat16", "float16"]

_LOADERS: Mapping[ModelArchitecture, Any] = {"causal_lm": AutoModelForCausalLM, "trunk": AutoModel}
_CLASSES: Mapping[ModelArchitecture, Any] = {"causal_lm": MODEL_FOR_CAUSAL_LM_MAPPING, "trunk": MODEL_MAPPING}
_LOADING = threading.Lock()
_HEADS = frozenset({"lm_head", "score", "score_head", "v_head", "value_head", "classifier"})
"""Names of tensors beside a trunk that nobody needs to be told of."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model in evaluation mode: its trunk (the decoder), and the whole, which is the same for a bare trunk."""

    model: Any
    trunk: Any
    path: Path
    dtype: torch.dtype
    device: torch.device
    max_positions: int
    allow: frozenset[Permission] = frozenset()


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


def choose_dtype(name: WantedDtype, device: torch.device) -> torch.dtype:
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


def load_checkpoint(
    path: Path,
    architecture: ModelArchitecture,
    *,
    dtype: WantedDtype,
    device: str,
    attention: str,
    allow: Collection[Permission] = (),
) -> Checkpoint:
    """Load a checkpoint for scoring with the given attention implementation.

    A trunk is found under the prefix of its family, whatever class the checkpoint names: its head is read elsewhere.
    Weights that the architecture needs and the checkpoint lacks are damage, never initialised at random. Raises
    `CheckpointMissing`, `CheckpointDamaged`, or `CheckpointRefused` for what `allow` would have to name.
    """
    bound_kernel_caches()
    bound_malloc_arenas()
    files = weight_files(path, allow)
    config_json = read_config_json(path)
    config = read_config(path, config_json, allow)
    where = choose_device(device)
    kind = choose_dtype(dtype, where)
    arguments = {"config": config, "dtype": kind, "attn_implementation": attention, "output_loading_info": True}
    try:
        with _transformers_to_ourselves():
            if needs_remote_code(config_json):
                model, report = _with_own_code(path, architecture, arguments, pickled=is_pickled(files[0]))
            elif is_pickled(files[0]) or config_json["model_type"] == internlm2.MODEL_TYPE:
                model, report = _from_tensors(path, architecture, arguments, config_json["model_type"], allow)
            else:
                model, report = _LOADERS[architecture].from_pretrained(
                    str(path), **arguments, use_safetensors=True, local_files_only=True, trust_remote_code=False
                )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as cause:
        raise CheckpointDamaged(
            f"{path} cannot be loaded as {architecture}: {_first_line(cause)}", param="path"
        ) from cause
    _check_report(path, model, report)
    model.eval().to(where).requires_grad_(False)
    return Checkpoint(
        model=model,
        trunk=model.get_decoder() if architecture == "causal_lm" else model.base_model,
        path=path,
        dtype=kind,
        device=where,
        max_positions=int(getattr(config.get_text_config(), "max_position_embeddings", 0) or 4096),
        allow=frozenset(allow),
    )


def _from_tensors(
    path: Path,
    architecture: ModelArchitecture,
    arguments: Mapping[str, Any],
    model_type: str,
    allow: Collection[Permission],
) -> tuple[Any, Mapping[str, Any]]:
    """For weights in files that transformers is kept from, or under names that it does not know."""
    config, tensors = arguments["config"], stored_tensors(path, allow)
    is_internlm2 = model_type == internlm2.MODEL_TYPE
    weights = internlm2.llama_weights(config, tensors, arguments["dtype"]) if is_internlm2 else dict(tensors)
    model, report = _CLASSES[architecture][type(config)].from_pretrained(None, **arguments, state_dict=weights)
    return model, report


def _with_own_code(
    path: Path, architecture: ModelArchitecture, arguments: Mapping[str, Any], *, pickled: bool
) -> tuple[Any, Mapping[str, Any]]:
    """Such code knows no attention but its own; transformers reads pickles with torch's restricted loader."""
    log.warning("the checkpoint %s runs Python code of its own, as its settings allow", path)
    own = {name: value for name, value in arguments.items() if name != "attn_implementation"}
    model, report = _LOADERS[architecture].from_pretrained(
        str(path), **own, use_safetensors=not pickled, local_files_only=True, trust_remote_code=True
    )
    return model, report


def _check_report(path: Path, model: Any, report: Mapping[str, Any]) -> None:
    """Raises `CheckpointDamaged` for weights that are missing; those that nothing reads are logged."""
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointDamaged(
            f"{path} lacks {len(missing)} weights that {type(model).__name__} needs, among them {missing[0]}: copy it "
            "again, or choose the profile that fits it",
            param="path",
        )
    unread = sorted(name for name in report["unexpected_keys"] if name.partition(".")[0] not in _HEADS)
    if unread:
        log.info("%s has %d weights that are not read, among them %s", path, len(unread), unread[0])


@contextmanager
def _transformers_to_ourselves() -> Iterator[None]:
    """One load at a time, and quietly: a server's log is no place for progress bars, nor for a table of heads that we
    read ourselves."""
    # While transformers loads it swaps torch's initialisers and default device for the whole process: a sampler that
    # loads beside a scorer ended with an output layer that was not tied to its embedding.
    with _LOADING:
        before = transformers_logging.get_verbosity()
        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        try:
            yield
        finally:
            transformers_logging.set_verbosity(before)


def _first_line(cause: Exception) -> str:
    return str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
