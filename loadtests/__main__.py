"""`python -m loadtests W1 W4 -o out/`: workloads by the service and by others, in turn, a table and a plot."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from loadtests.merged_checkpoint import Checkpoints, merged_checkpoints
from loadtests.peer_process import PEERS, Machine, Peer, running
from loadtests.random_checkpoint import SHAPES, ScratchTooSmall, random_checkpoints
from loadtests.results import Measured, as_json, markdown, plot, work_of
from loadtests.roofline import ModelShape
from loadtests.token_inputs import counted, rendered_waves
from loadtests.workloads import WORKLOADS, workload
from surefoot.evaluation.pictures import picture_paths
from surefoot.settings import load_settings
from surefoot.wiring.sources import checkpoint_directory

EMBEDDED = "embedded"
_PEERS_HELP = (
    "Who is measured, separated by commas; the first is what the others are compared to. All hold the model at a time: "
    "on a machine without vLLM, or without the memory, leave some out: surefoot,one_by_one,padded_batches."
)
_NAMES_HELP = "Of W1 W2 W3 W4 W5, each with its share of the whole where it should differ from --scale: W1@0.25 W4."
_SHAPE_HELP = (
    f"The embedded model with its adapter, or random weights in the shape of {', '.join(SHAPES)}. Those are written as "
    "scratch files, 3 GB for 1.5b and 14 GB for 7b; the variable TMPDIR says where."
)

console = Console(stderr=True, highlight=False, soft_wrap=True)


def main(
    names: Annotated[list[str], typer.Argument(metavar="WORKLOAD[@SHARE]…", help=_NAMES_HELP)],
    out: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where table, plot and JSON go.")],
    peers: Annotated[str, typer.Option(help=_PEERS_HELP)] = ",".join(PEERS),
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each peer, in turn; before them a fifth warms up.")] = 3,
    scale: Annotated[float, typer.Option(min=0.01, max=1.0, help="Share of each workload that names none.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Draws the texts, and random weights.")] = 1,
    dtype: Annotated[str, typer.Option(help="bfloat16 or float32.")] = "bfloat16",
    threads: Annotated[int, typer.Option(min=1, help="Of every peer.")] = os.cpu_count() or 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    shape: Annotated[str, typer.Option(help=_SHAPE_HELP)] = EMBEDDED,
) -> None:
    """Measure workloads by the service and by other ways to get the same scores, in turn, in this run.

    One command makes table.md, results.json and the plot; nothing else should run on the machine. Each peer is a
    process of its own with the same weights, type and threads; problems are salted, so that no run is answered from
    what an earlier one left in a cache.
    """
    chosen = peers.split(",")
    shares = dict(named_share(name, scale) for name in names)
    for unknown in [*(set(shares) - set(WORKLOADS)), *(set(chosen) - set(PEERS))]:
        raise typer.BadParameter(f"{unknown}: choose of {', '.join((*WORKLOADS, *PEERS))}")
    if shape not in (EMBEDDED, *SHAPES):
        raise typer.BadParameter(f"--shape {shape}: choose of {', '.join((EMBEDDED, *SHAPES))}")
    out.mkdir(parents=True, exist_ok=True)
    machine = Machine(dtype, threads, device)
    base = checkpoint_directory("embedded", load_settings())
    with tempfile.TemporaryDirectory(prefix="surefoot-loadtests-") as scratch, ExitStack() as stack:
        checkpoints = _checkpoints(shape, base, Path(scratch), seed, device)
        roofline = _roofline(checkpoints, machine)
        console.print(f"matrix products of the model's shapes: {roofline / 1e9:,.0f} GFLOP/s")
        started = [_started(stack, name, checkpoints, machine, out) for name in chosen]
        model = ModelShape.of(json.loads((checkpoints.causal / "config.json").read_text(encoding="utf-8")))
        found = [
            each
            for name, share in shares.items()
            for each in _measured(name, started, base, model, Path(scratch), (seed, rounds, share))
        ]
    command = shlex.join(["python", "-m", "loadtests", *sys.argv[1:]])
    _write(out, found, roofline, {"command": command, "machine": _machine(machine), "model": checkpoints.title})


def named_share(given: str, scale: float) -> tuple[str, float]:
    """A workload, and its share where it names one: W1@0.25."""
    name, at, share = given.partition("@")
    try:
        found = float(share) if at else scale
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise typer.BadParameter(f"{given}: behind the @ goes a share above 0 and up to 1, as in W1@0.25")
    return name, found


def _checkpoints(shape: str, base: Path, scratch: Path, seed: int, device: str) -> Checkpoints:
    """What all peers read."""
    if shape == EMBEDDED:
        console.print("merging the shipped adapter for the peers")
        return merged_checkpoints(base, scratch)
    console.print(f"drawing a random checkpoint of the {shape} shape in {scratch}")
    try:
        return random_checkpoints(shape, base, scratch, seed=seed, device=device)
    except ScratchTooSmall as cause:
        raise typer.BadParameter(str(cause)) from cause


def _started(stack: ExitStack, name: str, checkpoints: Checkpoints, machine: Machine, out: Path) -> Peer:
    console.print(f"starting {name}")
    return stack.enter_context(running(name, checkpoints, machine, out / f"{name}.log"))


def _measured(
    name: str, peers: Sequence[Peer], base: Path, shape: ModelShape, scratch: Path, plan: tuple[int, int, float]
) -> list[Measured]:
    """All peers, in turn, `rounds` times after a warm-up by a fifth of it."""
    seed, rounds, scale = plan
    answers: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in peers}
    waves: list[list[dict[str, Any]]] = []
    for number in range(rounds + 1):
        drawn = workload(name, seed, f"[{number}-{time.time_ns()}]", scale if number else scale / 5)
        waves = rendered_waves(drawn, base)
        stored = scratch / f"{name}-{number}.json"
        stored.write_text(json.dumps(waves), encoding="utf-8")
        for peer in peers:
            answer = peer.run(stored, drawn.concurrency)
            console.print(
                f"{name}, {'warm-up' if not number else f'round {number}'}: {peer.name} {answer['seconds']:.2f} s"
            )
            if number:
                answers[peer.name].append(answer)
        stored.unlink()
    reference = [run["scores"] for run in answers[peers[0].name]]
    counts, work = counted(waves), work_of(waves, shape)
    candidates = sum(len(group["candidates"]) for wave in waves for group in wave)
    return [
        Measured(
            name,
            peer.name,
            tuple(run["seconds"] for run in answers[peer.name]),
            tuple(took for run in answers[peer.name] for took in run["latencies_s"]),
            max(_difference(run["scores"], scores) for run, scores in zip(answers[peer.name], reference, strict=True)),
            max(run["peak_mib"] for run in answers[peer.name]),
            candidates,
            counts,
            work,
            max((run["gpu_mib"] for run in answers[peer.name] if run["gpu_mib"] is not None), default=None),
            tuple(run["forward_s"] for run in answers[peer.name] if run["forward_s"] is not None),
        )
        for peer in peers
    ]


def _difference(found: Any, expected: Any) -> float:
    """The largest difference between nested lists of numbers of one shape."""
    if isinstance(found, list):
        return max((_difference(first, second) for first, second in zip(found, expected, strict=True)), default=0.0)
    return abs(found - expected)


def _roofline(checkpoints: Checkpoints, machine: Machine) -> float:
    options = ("--model", str(checkpoints.causal), "--dtype", machine.dtype)
    options += ("--threads", str(machine.threads), "--device", machine.device)
    environment = os.environ | {"OMP_NUM_THREADS": str(machine.threads)}
    command = [sys.executable, "-m", "loadtests.roofline", *options]
    ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    return float(json.loads(ended.stdout)["flops_per_s"])


def _machine(machine: Machine) -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), "?")
    if machine.device != "cpu":
        import torch

        processor = f"{torch.cuda.get_device_name(machine.device)}, {processor}"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "surefoot"))
    python = platform.python_version()
    return f"{processor}, {machine.threads} threads, {machine.dtype} on {machine.device}; Python {python}, {versions}"


def _write(out: Path, found: Sequence[Measured], roofline: float, facts: dict[str, Any]) -> None:
    said = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    rate = f"- matrix products of the model's shapes in this run: {roofline / 1e9:,.0f} GFLOP/s\n"
    table = f"# Load tests\n\n{said}{rate}\n{markdown(found, roofline)}\n![Candidates a second](plot.png)\n"
    (out / "table.md").write_text(table, encoding="utf-8")
    (out / "results.json").write_text(json.dumps(as_json(found, roofline, facts), indent=1), encoding="utf-8")
    plot(found, picture_paths(out, "plot"))
    typer.echo(table)


if __name__ == "__main__":
    typer.run(main)
