"""Every object fits the schema of its kind, unknown fields refused, in the oldest and the newest Kubernetes named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from cloudcoil.models.prometheus_operator import v1 as operator
from pydantic import ValidationError

from deploy.rendering import KUBERNETES, Object, Rendered, name_of, render

VERSIONS = ("1.30", "1.37")
CUSTOM = {"ServiceMonitor": operator.ServiceMonitor, "PrometheusRule": operator.PrometheusRule}


def complaints(each: Object, version: str) -> Iterator[str]:
    if each["apiVersion"].startswith("monitoring.coreos.com/"):
        yield from complaints_of_custom(each)
        return
    try:
        kubernetes_validate.validate(each, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        yield f"{each['kind']} {name_of(each)}: {error}"


def complaints_of_custom(each: Object) -> Iterator[str]:
    try:
        read = CUSTOM[each["kind"]].model_validate(each).model_dump(by_alias=True, exclude_unset=True)
    except ValidationError as error:
        yield f"{each['kind']} {name_of(each)}: {error}"
    else:
        yield from (f"{each['kind']} {name_of(each)}: no field {name}" for name in dropped(each, read, ""))


def dropped(given: Any, read: Any, where: str) -> Iterator[str]:
    """Fields that are given, and that the model did not keep as it does not know them."""
    if isinstance(given, dict) and isinstance(read, dict):
        yield from (f"{where}{name}" for name in given.keys() - read.keys())
        for name in given.keys() & read.keys():
            yield from dropped(given[name], read[name], f"{where}{name}.")
    elif isinstance(given, list) and isinstance(read, list):
        for one, other in zip(given, read, strict=True):
            yield from dropped(one, other, where)


@pytest.fixture(scope="module")
def shipped(variants: dict[str, Path]) -> list[Object]:
    """Every object of every variant; what several have in common once."""
    directories = [*variants.values(), KUBERNETES / "monitoring", KUBERNETES / "fetch-models"]
    every = {json.dumps(each, sort_keys=True): each for path in directories for each in render(path).objects}
    return list(every.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(shipped: list[Object], version: str) -> None:
    assert len(shipped) >= 40
    assert [said for each in shipped for said in complaints(each, version)] == []


def test_an_unknown_field_is_found(cpu: Rendered) -> None:
    cpu.scorer["spec"]["template"]["spec"]["terminationGracePeriod"] = 70
    assert any("terminationGracePeriod" in said for said in complaints(cpu.scorer, VERSIONS[-1]))


def test_an_unknown_field_of_a_custom_resource_is_found(gpu: Rendered) -> None:
    monitor = gpu.one("ServiceMonitor", "surefoot")
    monitor["spec"]["endpoints"][0]["every"] = "15s"
    rule = gpu.one("PrometheusRule", "surefoot")
    rule["spec"]["groups"][0]["rules"][0]["alerts"] = "x"
    assert [said.rpartition(" ")[2] for each in (monitor, rule) for said in complaints(each, VERSIONS[0])] == [
        "spec.endpoints.every",
        "spec.groups.rules.alerts",
    ]


def test_a_wrong_type_is_found(cpu: Rendered, gpu: Rendered) -> None:
    cpu.scorer["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerPort"] = "8080"
    assert list(complaints(cpu.scorer, VERSIONS[0]))
    gpu.one("ServiceMonitor", "surefoot")["spec"]["endpoints"] = "all"
    assert list(complaints(gpu.one("ServiceMonitor", "surefoot"), VERSIONS[0]))


def test_every_directory_is_rendered_by_some_test() -> None:
    """A new overlay or component without a test would be shipped unseen."""
    shipped = {path.parent.relative_to(KUBERNETES).as_posix() for path in KUBERNETES.rglob("kustomization.yaml")}
    assert shipped == {
        "base",
        "components/models-volume",
        "components/named-replicas",
        "fetch-models",
        "monitoring",
        "overlays/cpu",
        "overlays/gpu",
        "overlays/large-model",
    }


def test_no_file_of_a_directory_is_left_out() -> None:
    for path in KUBERNETES.rglob("kustomization.yaml"):
        named = path.read_text(encoding="utf-8")
        beside = {each.name for each in path.parent.iterdir() if each.is_file() and each.suffix in {".yaml", ".toml"}}
        assert {name for name in beside - {path.name} if name not in named} == set(), path
