"""How fast this machine multiplies matrices of the model's own shapes, measured in the run that it is compared in.

`python -m loadtests.comparison.roofline --model DIR --dtype bfloat16 --threads 2` prints one line of JSON: the rate in
FLOP/s, and what the model computes for a token outside attention.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROWS = 2_048
SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Of a decoder of the Llama kind."""

    hidden: int
    layers: int
    heads: int
    key_heads: int
    head_dim: int
    inner: int

    @classmethod
    def of(cls, config: dict[str, Any]) -> ModelShape:
        hidden, heads = config["hidden_size"], config["num_attention_heads"]
        return cls(
            hidden,
            config["num_hidden_layers"],
            heads,
            config.get("num_key_value_heads", heads),
            config.get("head_dim") or hidden // heads,
            config["intermediate_size"],
        )

    def products(self) -> list[tuple[int, int]]:
        """Input and output sizes of a layer's matrix products."""
        query, keys = self.heads * self.head_dim, self.key_heads * self.head_dim
        return [
            (self.hidden, query),
            (self.hidden, keys),
            (self.hidden, keys),
            (query, self.hidden),
            (self.hidden, self.inner),
            (self.hidden, self.inner),
            (self.inner, self.hidden),
        ]

    @property
    def flops_per_token(self) -> int:
        """Two a weight outside the embeddings."""
        return 2 * self.layers * sum(first * second for first, second in self.products())

    def attention_flops(self, depth: int) -> int:
        """Of one token that sees `depth` tokens, itself included: scores and their sum of values."""
        return 4 * self.layers * self.heads * self.head_dim * depth


def matrix_rate(shape: ModelShape, dtype: str, device: str) -> float:
    """FLOP/s of the layer's products with `ROWS` rows each, after a warm-up."""
    import torch

    kind = getattr(torch, dtype)
    made = [
        (torch.randn(ROWS, first, device=device).to(kind), torch.randn(second, first, device=device).to(kind))
        for first, second in shape.products()
    ]
    work = 2 * ROWS * sum(first * second for first, second in shape.products())

    def once() -> None:
        for rows, weight in made:
            torch.nn.functional.linear(rows, weight)
        if device != "cpu":
            torch.cuda.synchronize()

    for _ in range(3):
        once()
    rounds, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        once()
        rounds += 1
    return work * rounds / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    shape = ModelShape.of(json.loads((given.model / "config.json").read_text(encoding="utf-8")))
    sys.stdout.write(json.dumps({"flops_per_s": matrix_rate(shape, given.dtype, given.device)}))


if __name__ == "__main__":
    main()
