"""A loop that scores one candidate after another with transformers, as trainers call a reward model."""

from __future__ import annotations

import time
from collections.abc import Sequence

from loadtests.comparison.peer import Group, Scores, answer_runs, options
from loadtests.comparison.token_classifier import open_classifier


def main() -> None:
    """Load the token classifier and answer."""
    given = options()
    import torch

    model = open_classifier(given)

    @torch.inference_mode()
    def score(wave: Sequence[Group], _concurrency: int) -> tuple[list[Scores], list[float]]:
        found, took = [], []
        for group in wave:
            began = time.perf_counter()
            scores = []
            for candidate in group["candidates"]:
                logits = model(torch.tensor([candidate["token_ids"]], device=given.device), use_cache=False).logits[0]
                scores.append(logits[candidate["positions"]].float().softmax(-1)[:, 1].tolist())
            found.append(scores)
            took.append(time.perf_counter() - began)
        return found, took

    answer_runs(score)


if __name__ == "__main__":
    main()
