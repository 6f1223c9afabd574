"""The image as it runs in a cluster: without root, without capabilities, on a read-only file system, in 2 GiB.

`make image-test` builds it first, which takes minutes; not part of `make test`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deploy.rendering import KUBERNETES, pod_of, render
from image.container import IMAGE, MEMORY_LIMIT, Container, bounds, inspected, podman, running

DEMO = {
    "problem": "Tom has 3 boxes with 12 pens each. He gives away 7. How many pens are left?",
    "steps": ["3 * 12 = 36 pens.", "36 - 7 = 31 pens are left.", "The answer is 31."],
}


@pytest.fixture(scope="module")
def service() -> Iterator[Container]:
    with running() as container:
        yield container


def test_the_demo_request_is_answered_by_the_embedded_model(service: Container) -> None:
    answer = httpx.post(f"{service.url}/score", json=DEMO, timeout=60)
    [result] = answer.raise_for_status().json()["results"]
    assert [0 < step["score"] < 1 for step in result["steps"]] == [True, True, True]
    assert result["first_error"] == 1


def test_it_samples_without_a_generator_beside_it(service: Container) -> None:
    asked = {"problem": DEMO["problem"], "sampling": {"n": 2, "max_tokens": 48, "seed": 1}}
    answer = httpx.post(f"{service.url}/best_of_n", json=asked, timeout=240)
    assert len(answer.raise_for_status().json()["candidates"]) == 2


def test_its_health_check_passes(service: Container) -> None:
    done = podman("healthcheck", "run", service.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_health_check_fails_where_nothing_answers() -> None:
    [kind, *check] = inspected()["Healthcheck"]["Test"]
    assert kind == "CMD"
    done = podman("run", "--rm", *bounds(), "--env=SUREFOOT_PORT=9", "--entrypoint", check[0], IMAGE, *check[1:])
    assert done.returncode == 1
    assert "refused" in done.stderr


def test_it_knows_the_memory_that_it_may_use(service: Container) -> None:
    lines = httpx.get(f"{service.url}/metrics").text.splitlines()
    values = {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("surefoot_memory_")}
    assert values["surefoot_memory_limit_bytes"] == MEMORY_LIMIT
    assert values["surefoot_memory_resident_bytes"] < 0.9 * MEMORY_LIMIT


def test_it_runs_as_nobody_and_writes_nowhere_but_where_it_was_let(service: Container) -> None:
    assert service.run("id", "-u").stdout.strip() == "65534"
    assert "Read-only file system" in service.run("touch", "/opt/surefoot/here").stderr
    held = service.run("grep", "CapEff", "/proc/1/status").stdout.split()[1]
    assert int(held, 16) == 0


@pytest.mark.parametrize("tool", ["cc", "gcc", "g++", "clang", "tcc", "ld", "as", "uv"])
def test_nothing_inside_compiles_or_installs(service: Container, tool: str) -> None:
    assert service.run("sh", "-c", f"command -v {tool}").stdout == ""


def test_the_file_that_the_base_comes_from_stayed_behind(service: Container) -> None:
    assert service.run("find", "/opt", "-name", "*.gguf").stdout == ""


def test_it_hands_the_embedded_model_to_vllm(tmp_path: Path) -> None:
    """What the overlay `cpu` runs before vLLM starts."""
    tmp_path.chmod(0o777)
    [first] = pod_of(render(KUBERNETES / "overlays/cpu").one("Deployment", "generator"))["initContainers"]
    program = ["--entrypoint", first["command"][0], IMAGE, *first["command"][1:], *first["args"]]
    done = podman("run", "--rm", *bounds(), f"--volume={tmp_path}:/embedded", *program)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "base/model.safetensors").stat().st_size > 2**27
    assert {path.name for path in (tmp_path / "adapter").iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
    }


def test_the_hubs_program_is_there_for_fetch_models(service: Container) -> None:
    assert service.run("hf", "version").returncode == 0


def test_labels_say_what_it_is() -> None:
    labels = inspected()["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "surefoot"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_sigterm_lets_accepted_work_end_and_the_status_is_0() -> None:
    asked = {"problem": DEMO["problem"], "sampling": {"n": 8, "max_tokens": 96, "seed": 1}}
    with running() as container, ThreadPoolExecutor() as threads:
        under_way = threads.submit(httpx.post, f"{container.url}/best_of_n", json=asked, timeout=120)
        time.sleep(1)
        assert not under_way.done()
        assert podman("stop", "--time", "60", container.name).returncode == 0
        assert under_way.result().status_code == 200
        assert (container.state()["ExitCode"], container.state()["OOMKilled"]) == (0, False)
