"""Where a run is: everything that the rest of it depends on, in one file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from surefoot.errors import RunMismatch
from surefoot.training.examples import Example
from surefoot.whole_file import write_whole

FILE_NAME = "training_state.pt"


@dataclass(frozen=True, slots=True)
class RunState:
    """A run after `step` steps of `epoch`, both counted from 0; `totals` are sums over that epoch's steps so far.

    `epochs` holds the measures of the epochs that are done, the first entry those before training, and `best` the place
    in it of those whose adapter was kept.
    """

    epoch: int
    step: int
    adapter: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    random: Mapping[str, Any]
    totals: Mapping[str, float]
    epochs: Sequence[Mapping[str, float]]
    best: int
    best_adapter: Mapping[str, torch.Tensor]


def data_digest(*parts: Sequence[Example]) -> str:
    """Names what is trained and validated on, 16 hex digits."""
    digest = hashlib.sha256()
    for part in parts:
        for example in part:
            digest.update(repr((example.rendered.token_ids, example.positions, example.targets)).encode())
            digest.update(repr((example.weights, example.is_right, example.word_positions)).encode())
        digest.update(b"/")
    return digest.hexdigest()[:16]


def save_state(directory: Path, state: RunState, made_for: Mapping[str, Any]) -> None:
    """Replace the state in `directory`; `made_for` is what another run must agree with to continue it.

    Whatever goes wrong, a full disk say, leaves the one before in its place. Raises `OSError`.
    """
    buffer = io.BytesIO()
    values = {field.name: getattr(state, field.name) for field in fields(state)}
    torch.save({**values, "made_for": json.dumps(made_for, sort_keys=True)}, buffer)
    write_whole(directory / FILE_NAME, buffer.getvalue())


def load_state(directory: Path, made_for: Mapping[str, Any]) -> RunState | None:
    """The state in `directory`, `None` where there is none.

    Raises `RunMismatch`, which names what differs, for that of a run with other data, another model or other options.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        theirs = json.loads(found.pop("made_for"))
        state = RunState(**found)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise RunMismatch(f"{path} is damaged: delete it to begin anew", param="output") from cause
    ours = json.loads(json.dumps(made_for))
    differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if differing:
        raise RunMismatch(
            f"the run in {directory} was begun with another {', '.join(differing)}: give the same, or "
            "another directory",
            param="output",
        )
    return state


def random_state(device: torch.device) -> dict[str, Any]:
    """That of torch's generators: dropout draws from them."""
    state: dict[str, Any] = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    return state


def restore_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Put back what `random_state` gave."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
