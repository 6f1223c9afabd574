"""`python -m loadtests.cpu_passes`: the forward pass on this CPU, by how many rows it takes at a time (ADR 0031).

Solutions of 200 to 900 tokens that share nothing, with the shipped adapter; the ways in turn, the best of each.
"""

from __future__ import annotations

import json
import os
import random
import time
from typing import Annotated

import torch
import typer

from loadtests.comparison.results import work_of
from loadtests.comparison.roofline import ModelShape, matrix_rate
from surefoot.embedded.shipped_adapters import SHIPPED, adapter_directory
from surefoot.modeling import row_chunks
from surefoot.modeling.adapters import read_adapter
from surefoot.modeling.checkpoint import load_checkpoint
from surefoot.modeling.packed_attention import PACKED_ATTENTION
from surefoot.modeling.trunk_forward import TrunkForward
from surefoot.settings import load_settings
from surefoot.wiring.sources import checkpoint_directory

WAYS = {"all rows": 2**31, "1,024 rows": 1_024, "512 rows": 512, "256 rows": 256}


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Of every way, in turn.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Of all of them.")] = os.cpu_count() or 1,
    dtype: Annotated[str, typer.Option(help="bfloat16 or float32.")] = "bfloat16",
) -> None:
    """Print a table."""
    torch.set_num_threads(threads)
    base = checkpoint_directory("embedded", load_settings())
    forward = TrunkForward(
        "prm", load_checkpoint(base, "causal_lm", dtype=dtype, device="cpu", attention=PACKED_ATTENTION)
    )
    forward.add_adapter("prm", read_adapter(adapter_directory(SHIPPED, "process")))
    shape = ModelShape.of(json.loads((base / "config.json").read_text(encoding="utf-8")))
    rng = random.Random(1)  # noqa: S311  no secret
    sequences = [[rng.randrange(1_000, 40_000) for _ in range(rng.randint(200, 900))] for _ in range(14)]
    positions = [[len(sequence) - 1] for sequence in sequences]
    tokens = sum(map(len, sequences))
    work = work_of([[{"candidates": [{"token_ids": sequence} for sequence in sequences]}]], shape)
    forward.hidden_states(sequences[:2], positions[:2], adapter="prm")
    best = dict.fromkeys(WAYS, float("inf"))
    results: list[torch.Tensor] = []
    rates = []
    for _ in range(rounds):
        rates.append(matrix_rate(shape, dtype, "cpu"))
        for way, size in WAYS.items():
            row_chunks._ROWS = size  # noqa: SLF001  what is measured
            began = time.perf_counter()
            results.append(forward.hidden_states(sequences, positions, adapter="prm"))
            best[way] = min(best[way], time.perf_counter() - began)
    equal = all(torch.equal(results[0], other) for other in results)
    typer.echo(f"{tokens:,} tokens, {threads} threads, {dtype}; matrix products {max(rates) / 1e9:,.0f} GFLOP/s")
    typer.echo(f"equal to the bit: {equal}\n\n| taken at a time | tokens/s | of the matrix rate |\n|---|---:|---:|")
    for way, seconds in best.items():
        typer.echo(f"| {way} | {tokens / seconds:,.0f} | {work / seconds / max(rates):.0%} |")


if __name__ == "__main__":
    typer.run(main)
