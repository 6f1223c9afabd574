"""The tokens of a workload, by one tokenizer and one renderer for all: what is computed, and how much of it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.workloads import Workload
from surefoot.domain import ScoreTask
from surefoot.forest import count_unique_tokens
from surefoot.modeling.tokenizer import HfTokenizer
from surefoot.profiles import load_profile
from surefoot.rendering import build_renderer
from surefoot.segmentation import join_steps

PROFILE = "embedded-prm"


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """`full` counts every candidate from scratch, `unique` each distinct prefix of a wave's groups once, and `new`
    each distinct prefix of the whole run once."""

    full: int
    unique: int
    new: int


def rendered_waves(workload: Workload, directory: Path) -> list[list[dict[str, Any]]]:
    """Waves of groups with texts, token ids and readout positions, as peers read them."""
    tokenizer = HfTokenizer.from_directory(directory)
    profile = load_profile(PROFILE)
    renderer = build_renderer(profile, tokenizer)

    def candidate(problem: str, steps: Sequence[str]) -> dict[str, Any]:
        task = ScoreTask(problem, steps=tuple(steps))
        rendered = renderer.render(task, join_steps(task.steps or (), profile.splitting.separator))
        return {
            "steps": list(steps),
            "token_ids": list(rendered.token_ids),
            "positions": list(rendered.readout_positions),
        }

    return [
        [
            {"problem": group.problem, "candidates": [candidate(group.problem, steps) for steps in group.candidates]}
            for group in wave
        ]
        for wave in workload.waves
    ]


def counted(waves: Sequence[Sequence[dict[str, Any]]]) -> TokenCounts:
    """How many tokens there are."""
    by_wave = [[each["token_ids"] for group in wave for each in group["candidates"]] for wave in waves]
    everything = [token_ids for wave in by_wave for token_ids in wave]
    return TokenCounts(
        sum(map(len, everything)), sum(count_unique_tokens(wave) for wave in by_wave), count_unique_tokens(everything)
    )
