"""Engines that compute with vLLM: in a process of its own beside this one, or on a server."""

from __future__ import annotations

import hashlib
import json
import logging
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from surefoot.domain import ForwardItem, RenderedInput
from surefoot.errors import BackendFailed, SettingsInvalid
from surefoot.profiles import Profile, TokenContrast
from surefoot.remote_server import RemoteServer
from surefoot.rendering import build_renderer
from surefoot.rendering.control_tokens import contrast_token_ids
from surefoot.settings import ModelSettings, Settings
from surefoot.wiring.engine import Engine, EngineKey
from surefoot.wiring.generators import vllm_is_missing
from surefoot.wiring.sources import checkpoint_directory

if TYPE_CHECKING:
    from surefoot.backends.vllm_backend import VllmBackend, VllmOptions
    from surefoot.backends.vllm_plan import CheckpointFacts, PoolingPlan
    from surefoot.backends.vllm_server import ServedByVllm, VllmServerBackend
    from surefoot.modeling.tokenizer import HfTokenizer

log = logging.getLogger(__name__)

_SERVER_PATIENCE_S = 120.0
"""A server that is started together with this service is still loading its weights."""

_PROBE = "1 + 1 = 2"


def vllm_engine_key(model: ModelSettings, profile: Profile, settings: Settings) -> EngineKey:
    """An engine of vLLM has one pooling task and one head: models share it only where all of that is the same."""
    from surefoot.backends.vllm_plan import reads_last_token

    return (
        model.backend,
        model.path,
        model.url or "",
        model.dtype or settings.dtype,
        str(model.tensor_parallel_size),
        json.dumps(model.engine_arguments, sort_keys=True, default=str),
        profile.readout.model_dump_json(exclude={"temperature"}),
        str(reads_last_token(profile)),
        *sorted(model.allow),
    )


def build_vllm(model: ModelSettings, profile: Profile, settings: Settings) -> Engine:
    """Start vLLM's pooling on a checkpoint; blocking, for half a minute and more. Raises a `StartupError`."""
    if find_spec("vllm") is None:
        raise vllm_is_missing(f"models: {model.name}: backend")
    import torch

    from surefoot.backends.vllm_backend import VllmBackend
    from surefoot.modeling.base_id import base_id
    from surefoot.modeling.checkpoint import choose_device
    from surefoot.modeling.identity import EngineIdentity, config_hash
    from surefoot.modeling.tokenizer import HfTokenizer

    directory = checkpoint_directory(model.path, settings, allow=model.allow)
    tokenizer = HfTokenizer.from_directory(directory)
    # All that is known to go wrong goes wrong before minutes of loading.
    build_renderer(profile, tokenizer)
    plan, max_positions = pooling_plan(directory, model, profile, tokenizer)
    options = _options(model, settings, max_positions)
    backend = VllmBackend(model.name, directory, plan, options)
    _prove_alive(backend, tokenizer, plan.mode == "last_token")
    identity = EngineIdentity(
        base_id=base_id(directory, cache=settings.cache, allow=model.allow),
        # Quantisation and the like come by these arguments, and change scores.
        config_hash=_digest(config_hash(directory), model.engine_arguments),
        dtype=options.dtype,  # type: ignore[arg-type]  # choose_dtype gives one of the three
        device=str(choose_device(settings.device)),
        backend="vllm",
        versions={"vllm": backend.version, "torch": torch.__version__},
    )
    return Engine(identity, tokenizer, backend, _only_head, None, num_restarts=lambda: backend.num_restarts)


def build_vllm_server(model: ModelSettings, profile: Profile, settings: Settings) -> Engine:
    """Reach a vLLM server and see how it pools; blocking. Raises a `StartupError`.

    `base_id` names the local tokenizer and what the server says of its model (name and origin). It changes when the
    server is given another model, and not when other weights are put behind the same name: that is the operator's to
    keep apart, and what golden values in a profile are for.
    """
    from surefoot.modeling.base_id import tokenizer_id
    from surefoot.modeling.identity import EngineIdentity
    from surefoot.modeling.tokenizer import HfTokenizer

    directory = checkpoint_directory(model.path, settings)
    tokenizer = HfTokenizer.from_directory(directory)
    build_renderer(profile, tokenizer)
    backend, found = _reach(model, profile, settings, tokenizer.encode_text(_PROBE))
    named = _digest(found.id, found.root)
    wanted = model.dtype or settings.dtype
    identity = EngineIdentity(
        base_id=_digest(tokenizer_id(directory), named)[:16],
        config_hash=named,
        # A server does not tell its type. Unless the settings do, it is taken for the usual one.
        dtype="bfloat16" if wanted == "auto" else wanted,
        device="remote",
        backend="vllm_server",
        versions={"vllm": found.version},
    )
    return Engine(identity, tokenizer, backend, _only_head, None)


def _reach(
    model: ModelSettings, profile: Profile, settings: Settings, token_ids: list[int]
) -> tuple[VllmServerBackend, ServedByVllm]:
    """The backend on a server that pools `token_ids` as the profile needs it, and what the server says of its model."""
    from surefoot.backends.vllm_plan import num_columns, reads_last_token
    from surefoot.backends.vllm_server import PoolingServer, VllmServerBackend, pooling_mode

    columns = num_columns(profile)
    remote = RemoteServer(str(model.url), model.api_key(), timeout_s=settings.limits.request_timeout_s)
    server = PoolingServer(remote)
    try:
        found = _found_model(remote)
        table = server.pool(found.id, [token_ids])[0]
        mode = pooling_mode(table, num_tokens=len(token_ids), num_columns=columns, reads_last=reads_last_token(profile))
    except (BackendFailed, SettingsInvalid) as cause:
        server.close()
        raise SettingsInvalid(f"models: {model.name}: {cause.message}", param="url") from cause
    max_input_tokens = min(settings.max_input_tokens, found.max_input_tokens)
    backend = VllmServerBackend(
        model.name, server, model=found.id, mode=mode, num_columns=columns, max_input_tokens=max_input_tokens
    )
    return backend, found


def _only_head(_name: str, _profile: Profile) -> None:
    """The engine was started with its one head; its key lets no model share it that reads another."""


def pooling_plan(
    directory: Path, model: ModelSettings, profile: Profile, tokenizer: HfTokenizer
) -> tuple[PoolingPlan, int]:
    """How the engine reads the checkpoint, and how many positions that has.

    Raises `SettingsInvalid`, `ProfileInvalid` or `CheckpointDamaged`.
    """
    from surefoot.backends.vllm_plan import plan_pooling
    from surefoot.inspection.checkpoint_files import read_config_json
    from surefoot.modeling.configuration import read_config
    from surefoot.modeling.heads import checkpoint_head
    from surefoot.modeling.weights import read_tensors

    config_json = read_config_json(directory)
    config = read_config(directory, config_json, model.allow)
    text_config = config.get_text_config()
    facts = _facts(directory, model, config_json, config)
    words: tuple[str, ...] = ()
    if isinstance(profile.readout, TokenContrast):
        entries = {token_id: entry for entry, token_id in tokenizer.vocabulary.items()}
        words = tuple(entries[token_id] for token_id in contrast_token_ids(profile, profile.readout, tokenizer))
    plan = plan_pooling(profile, facts, words)
    if plan.head is not None:
        checkpoint_head(
            plan.head,
            read_tensors(directory, plan.head.weights, model.allow),
            hidden_size=text_config.hidden_size,
            num_columns=plan.num_columns,
        )
    return plan, int(getattr(text_config, "max_position_embeddings", 0) or 4096)


def _facts(directory: Path, model: ModelSettings, config_json: Any, config: Any) -> CheckpointFacts:
    from surefoot.backends.vllm_plan import CheckpointFacts
    from surefoot.modeling.weights import stored_tensors

    text_config = config.get_text_config()
    bends = {
        "logit_scale": getattr(text_config, "logit_scale", None) not in (None, 1.0),
        "logits_scaling": getattr(text_config, "logits_scaling", None) not in (None, 1.0),
        "final_logit_softcapping": getattr(text_config, "final_logit_softcapping", None) is not None,
        "lm_head.bias": any(True for _ in stored_tensors(directory, model.allow, lambda name: name == "lm_head.bias")),
    }
    return CheckpointFacts(
        architecture=next(iter(config_json.get("architectures") or ()), "a checkpoint that names no architecture"),
        num_labels=config.num_labels,
        bent_logits=" and ".join(name for name, is_bent in bends.items() if is_bent),
        allows_remote_code="remote_code" in model.allow,
    )


def _options(model: ModelSettings, settings: Settings, max_positions: int) -> VllmOptions:
    from surefoot.backends.vllm_backend import VllmOptions
    from surefoot.modeling.checkpoint import choose_device, choose_dtype, dtype_name

    device = choose_device(settings.device)
    if device.index:
        raise SettingsInvalid(
            f"device is {device}, but vLLM starts on the first GPU that it sees: set CUDA_VISIBLE_DEVICES instead",
            param="device",
        )
    on_gpu = device.type == "cuda"
    return VllmOptions(
        dtype=dtype_name(choose_dtype(model.dtype or settings.dtype, device)),
        max_input_tokens=min(settings.max_input_tokens, max_positions),
        tensor_parallel_size=model.tensor_parallel_size,
        gpu_memory_share=_memory_share(settings) if on_gpu else None,
        cpu_kv_cache_gib=settings.generator.cpu_kv_cache_gib,
        allow=frozenset(model.allow),
        engine_arguments=model.engine_arguments,
    )


def _memory_share(settings: Settings) -> float:
    """The scorers' share of a GPU in equal parts: one for each of vLLM's engines, one for all of transformers'."""
    backends = [model.backend for model in settings.models]
    return settings.gpu.scorer_share / (backends.count("vllm") + ("transformers" in backends))


def _prove_alive(backend: VllmBackend, tokenizer: HfTokenizer, reads_last: bool) -> None:
    """One small input: some engines start and then fail on the first one, for a kernel that is missing."""
    token_ids = tuple(tokenizer.encode_text(_PROBE))
    positions = (len(token_ids) - 1,) if reads_last else tuple(range(len(token_ids)))
    try:
        backend.forward([ForwardItem(RenderedInput(token_ids, positions), backend.name)])
    except Exception as cause:
        backend.close()
        raise SettingsInvalid(
            f"models: {backend.name}: vLLM started and failed on its first input ({type(cause).__name__}; the log above"
            ' tells more); set backend = "transformers"',
            param="backend",
        ) from cause


def _found_model(remote: RemoteServer) -> ServedByVllm:
    from surefoot.backends.vllm_server import PoolingServer

    patient = replace(remote, timeout_s=_SERVER_PATIENCE_S, max_retries=10_000)
    with closing(PoolingServer(patient)) as server:
        return server.model()


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
