"""What is wrong with a checkpoint, or worth knowing, whichever profile reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from surefoot.inspection.checkpoint_files import Permission
from surefoot.inspection.contents import Contents

Status = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `fix` says what to do where it is not as it should be, and `allow` names the
    permission that serving needs then."""

    name: str
    status: Status
    message: str
    fix: str | None = None
    allow: Permission | None = None


def check_checkpoint(
    contents: Contents, *, is_known_model_type: bool, tokenizer_fault: str | None
) -> tuple[Check, ...]:
    """Adapter, weights, code, tokenizer and type, in this order.

    `is_known_model_type`: transformers has code of its own for the checkpoint's `model_type`. `tokenizer_fault` is
    what its tokenizer was refused with.
    """
    if contents.adapter_base is not None and not contents.config:
        return (
            Check(
                "adapter",
                "error",
                f"an adapter of {contents.adapter_base}, not a whole model",
                "merge it into its base (peft: merge_and_unload, save_pretrained) and give that directory",
            ),
        )
    return (
        *_adapter_check(contents),
        _weights_check(contents),
        *_code_check(contents, is_known_model_type=is_known_model_type),
        _tokenizer_check(tokenizer_fault),
        _dtype_check(contents),
    )


def _adapter_check(contents: Contents) -> tuple[Check, ...]:
    if contents.adapter_base is None:
        return ()
    return (
        Check(
            "adapter",
            "warning",
            f"an adapter of {contents.adapter_base} lies beside the model and is not read",
            "where the scores should be the adapter's, merge it first",
        ),
    )


def _weights_check(contents: Contents) -> Check:
    if contents.num_parameters is not None:
        return Check("weights", "ok", f"{contents.num_parameters:,} parameters in whole safetensors files")
    if contents.pickle_files:
        return Check(
            "weights",
            "warning",
            f"pickled weights only ({contents.pickle_files[0]}), which can hold a program: heads cannot be seen, "
            "and loading them is refused",
            'convert them to safetensors, or set allow = ["pickle_weights"]',
            "pickle_weights",
        )
    return Check("weights", "error", "no weights: neither .safetensors nor .bin files", "copy them there")


def _code_check(contents: Contents, *, is_known_model_type: bool) -> tuple[Check, ...]:
    if is_known_model_type and not contents.code_classes:
        return ()
    if is_known_model_type:
        return (
            Check("code", "ok", f"brings Python code ({contents.code_classes[0]}), which is neither needed nor run"),
        )
    if contents.code_classes:
        return (
            Check(
                "code",
                "warning",
                f"model_type {contents.model_type!r} is known to the checkpoint's own Python code alone "
                f"({contents.code_classes[0]}), which is not run",
                'read that code, then set allow = ["remote_code"]',
                "remote_code",
            ),
        )
    return (
        Check(
            "code",
            "error",
            f"model_type {contents.model_type!r} is not known",
            "correct config.json, or install a version of transformers that knows it",
        ),
    )


def _tokenizer_check(fault: str | None) -> Check:
    if fault is None:
        return Check("tokenizer", "ok", "a fast tokenizer")
    return Check("tokenizer", "error", fault, "copy tokenizer.json and tokenizer_config.json beside the weights")


def _dtype_check(contents: Contents) -> Check:
    named, stored = contents.dtype, contents.stored_dtype
    if "quantization_config" in contents.config:
        return Check(
            "dtype",
            "warning",
            "quantised weights, whose scores differ from the published model's",
            "use the checkpoint that was quantised, or pin golden values of this one",
        )
    if named is not None and stored is not None and named != stored:
        return Check(
            "dtype",
            "warning",
            f"config.json says {named}, the weights are stored as {stored}",
            f'set dtype = "{stored}" to compute as they were trained',
        )
    return Check("dtype", "ok", f"{stored or named or 'not named'}")
