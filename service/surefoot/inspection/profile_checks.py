"""Whether a profile can read a checkpoint: its head, its words, its places and its limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from surefoot.domain import ScoreTask
from surefoot.errors import SurefootError
from surefoot.inspection.checkpoint_checks import Check
from surefoot.inspection.contents import Contents
from surefoot.ports import Tokenizer
from surefoot.profiles import (
    GenerativeVerdict,
    HeadSpec,
    LogRatio,
    Profile,
    SeparatedSteps,
    TaggedText,
    TokenClassification,
    TokenContrast,
)
from surefoot.rendering import build_renderer
from surefoot.rendering.control_tokens import contrast_token_ids
from surefoot.segmentation import join_steps

CheckName = Literal["head", "rendering", "verdict", "bos", "context", "reference"]

_PROBLEM = "What is 2 + 3 * 4?"
_STEPS = ("3 * 4 = 12.", "2 + 12 = 14.\nThe answer is 14.")


def check_profile(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> tuple[Check, ...]:
    """One result of each check that concerns the profile, in the order of `CHECKS`.

    Without a tokenizer, what needs one is left unchecked, which is a warning.
    """
    checks = (check(contents, profile, tokenizer) for check in CHECKS.values())
    return tuple(check for check in checks if check is not None)


def _head(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    if contents.tensors is None:
        return Check("head", "warning", "not checked: without safetensors no head can be seen", "convert the weights")
    readout = profile.readout
    if isinstance(readout, TokenContrast | LogRatio | GenerativeVerdict):
        return _output_layer(contents, contents.tensors)
    columns = len(readout.classes) if isinstance(readout, TokenClassification) else 1
    return _own_head(contents, readout.head, columns)


def _output_layer(contents: Contents, tensors: Mapping[str, object]) -> Check:
    own = next((name for name in _OUTPUT_LAYERS if name in tensors), None)
    if own is not None:
        return Check("head", "ok", f"the language model's output layer {own}")
    if contents.config.get("tie_word_embeddings") is False or not _is_language_model(contents):
        return Check(
            "head",
            "error",
            "no output layer: the profile reads words, and this is no language model",
            "choose a profile that reads a head" + _heads_seen(contents),
        )
    return Check("head", "ok", "an output layer that is the embedding")


_OUTPUT_LAYERS = ("lm_head.weight", "output.weight", "embed_out.weight")


def _is_language_model(contents: Contents) -> bool:
    return any(
        name.endswith(("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")) for name in contents.architectures
    )


def _own_head(contents: Contents, wanted: HeadSpec, columns: int) -> Check:
    found = next((head for head in contents.heads if head.weights == wanted.weights), None)
    if found is None:
        return Check(
            "head", "error", f"no head {wanted.weights}", "choose a profile for what is there" + _heads_seen(contents)
        )
    needed = (wanted.layers, columns, contents.hidden_size or found.num_inputs)
    if (found.layers, found.rows, found.num_inputs) != needed:
        return Check(
            "head",
            "error",
            f"head {found.describe()} takes {found.num_inputs} values, but the profile and the trunk need "
            f"{wanted.layers} with {columns} rows of {needed[2]}",
            "choose another profile, or correct readout.head and readout.classes of your own",
        )
    return Check("head", "ok", f"head {found.describe()}")


def _heads_seen(contents: Contents) -> str:
    return (
        f"; there is {', '.join(head.describe() for head in contents.heads)}"
        if contents.heads
        else "; there is no head"
    )


def _rendering(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    if tokenizer is None:
        return Check("rendering", "warning", "not checked: there is no tokenizer", "copy it beside the weights")
    solution = join_steps(_STEPS, profile.splitting.separator)
    num_places = len(_STEPS) if profile.kind == "process" else 1
    try:
        rendered = build_renderer(profile, tokenizer).render(ScoreTask(_PROBLEM, steps=_STEPS), solution)
    # Chat templates, and tokenizers without one, refuse with `ValueError`.
    except (SurefootError, ValueError) as refusal:
        return Check(
            "rendering", "error", _first_line(refusal), "choose another profile, or copy the model's own tokenizer"
        )
    bos = tokenizer.bos_token_id
    if bos is not None and rendered.token_ids[:2] == (bos, bos):
        return Check("rendering", "error", "the input begins with BOS twice", "set rendering.bos = false")
    if len(rendered.readout_positions) != num_places:
        return Check(
            "rendering",
            "error",
            f"{len(rendered.readout_positions)} places are read where {num_places} are meant",
            "correct the profile's rendering",
        )
    return Check(
        "rendering",
        "ok",
        f"{profile.rendering.method}: a probe of two steps is read at {num_places} of {len(rendered.token_ids)} tokens",
    )


def _verdict(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    readout = profile.readout
    if tokenizer is None or not isinstance(readout, TokenContrast | GenerativeVerdict):
        return None
    try:
        token_ids = contrast_token_ids(profile, readout, tokenizer)
    except (SurefootError, ValueError) as refusal:
        return Check("verdict", "error", _first_line(refusal), "choose a profile for this tokenizer")
    if len(set(token_ids)) < len(token_ids):
        return Check(
            "verdict", "error", f"two verdicts are token {token_ids[0]}", "correct readout.positive and .negative"
        )
    pairs = zip(readout.words, token_ids, strict=True)
    return Check("verdict", "ok", ", ".join(f"{word!r} is token {token_id}" for word, token_id in pairs))


def _bos(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    if tokenizer is None or not isinstance(profile.rendering, TaggedText | SeparatedSteps) or not profile.rendering.bos:
        return None
    if tokenizer.bos_token_id is not None:
        return Check("bos", "ok", f"inputs begin with BOS, token {tokenizer.bos_token_id}")
    if isinstance(profile.rendering, SeparatedSteps):
        # The trainers of these families leave it out by themselves for tokenizers that have none.
        return Check("bos", "ok", "this tokenizer has no BOS, inputs begin without")
    return Check(
        "bos",
        "warning",
        "the profile begins with BOS, which this tokenizer does not name",
        "copy the model's own tokenizer_config.json, or set rendering.bos = false",
    )


def _context(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    positions, wanted = contents.max_positions, profile.max_input_tokens
    if positions is None:
        return Check("context", "warning", "config.json names no context limit", "set max_input_tokens in the profile")
    if wanted is not None and wanted > positions:
        return Check(
            "context",
            "error",
            f"the profile allows {wanted:,} tokens, the model has {positions:,} positions",
            f"set max_input_tokens = {positions} in the profile",
        )
    return Check("context", "ok", f"{wanted or positions:,} tokens of {positions:,}")


def _reference(contents: Contents, profile: Profile, tokenizer: Tokenizer | None) -> Check | None:  # noqa: ARG001
    if not isinstance(profile.readout, LogRatio):
        return None
    return Check(
        "reference",
        "warning",
        "scores are differences from a reference model, which is a second checkpoint",
        "set reference_path to the model that this one was trained from",
    )


def _first_line(refusal: Exception) -> str:
    return (str(refusal).strip().splitlines() or [type(refusal).__name__])[0]


CHECKS: Mapping[CheckName, Callable[[Contents, Profile, Tokenizer | None], Check | None]] = {
    "head": _head,
    "rendering": _rendering,
    "verdict": _verdict,
    "bos": _bos,
    "context": _context,
    "reference": _reference,
}
