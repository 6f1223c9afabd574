"""Batches padded to their longest, of candidates sorted by length, with transformers."""

from __future__ import annotations

import time
from collections.abc import Sequence

from loadtests.comparison.peer import Group, Scores, answer_runs, options
from loadtests.comparison.token_classifier import open_classifier

MOST_TOKENS = 4096
"""Of one batch, padding counted."""


def main() -> None:
    """Load the token classifier and answer."""
    given = options()
    import torch

    model = open_classifier(given)

    @torch.inference_mode()
    def score(wave: Sequence[Group], _concurrency: int) -> tuple[list[Scores], list[float]]:
        began = time.perf_counter()
        places = [(number, place) for number, group in enumerate(wave) for place in range(len(group["candidates"]))]
        found: list[Scores] = [[[] for _ in group["candidates"]] for group in wave]
        places.sort(key=lambda each: len(wave[each[0]]["candidates"][each[1]]["token_ids"]))
        while places:
            batch = [places.pop()]
            longest = len(_candidate(wave, batch[0])["token_ids"])
            while places and (len(batch) + 1) * longest <= MOST_TOKENS:
                batch.append(places.pop())
            token_ids = torch.zeros(len(batch), longest, dtype=torch.long)
            mask = torch.zeros_like(token_ids)
            for row, place in enumerate(batch):
                own = torch.tensor(_candidate(wave, place)["token_ids"])
                token_ids[row, : len(own)], mask[row, : len(own)] = own, 1
            logits = model(token_ids.to(given.device), attention_mask=mask.to(given.device), use_cache=False).logits
            for row, (number, place) in enumerate(batch):
                positions = _candidate(wave, (number, place))["positions"]
                found[number][place] = logits[row, positions].float().softmax(-1)[:, 1].tolist()
        took = time.perf_counter() - began
        return found, [took] * len(wave)

    answer_runs(score)


def _candidate(wave: Sequence[Group], place: tuple[int, int]) -> dict[str, list[int]]:
    number, index = place
    found: dict[str, list[int]] = wave[number]["candidates"][index]
    return found


if __name__ == "__main__":
    main()
