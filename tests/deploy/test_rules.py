"""Rules between objects, over everything that is shipped; and each rule against something that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.rendering import Object, Rendered, main_of, name_of, pod_of
from deploy.rules import connections, network, pods, settings

Rule = Callable[[Rendered], Iterator[str]]
RULES: list[Rule] = [
    connections.selectors_find_their_pods,
    connections.spread_is_over_its_own_pods,
    connections.services_reach_ports,
    connections.probes_reach_ports,
    connections.policies_open_ports_that_are_there,
    connections.what_pods_name_exists,
    connections.volumes_are_mounted,
    connections.stateful_sets_have_a_headless_service,
    connections.the_autoscaler_alone_says_how_many,
    pods.resources_are_bounded,
    pods.parallel_sizes_are_the_gpus,
    pods.pods_have_no_rights,
    pods.containers_have_no_rights,
    pods.images_are_pinned,
    pods.probes_ask_what_is_answered,
    pods.drains_fit_their_grace,
    settings.settings_can_be_read,
    settings.settings_name_what_is_there,
    network.what_is_needed_passes,
    network.nothing_else_passes,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_everything_that_is_shipped_keeps_the_rule(rendered: Rendered, rule: Rule) -> None:
    assert list(rule(rendered)) == []


def scorer(given: Rendered) -> Object:
    return main_of(given.scorer)


def generator(given: Rendered) -> Object:
    return given.one("Deployment", "generator")


def constraint(given: Rendered) -> Object:
    first: Object = pod_of(given.scorer)["topologySpreadConstraints"][0]
    return first


def policy(given: Rendered, name: str) -> Object:
    spec: Object = given.one("NetworkPolicy", name)["spec"]
    return spec


def toml_with(given: Rendered, old: str, new: str) -> None:
    [settings_map] = given.of("ConfigMap")
    text = settings_map["data"]["surefoot.toml"]
    assert old in text
    settings_map["data"]["surefoot.toml"] = text.replace(old, new)


def variable(given: Rendered, name: str, value: str) -> None:
    scorer(given)["env"].append({"name": name, "value": value})


def replaced(words: list[str], old: str, new: str) -> None:
    assert any(old in word for word in words)
    words[:] = [word.replace(old, new) for word in words]


def without(given: Rendered, kind: str, name: str) -> None:
    given.objects.remove(given.one(kind, name))


MUTATIONS: list[tuple[Rule, str, Callable[[Rendered], Any]]] = [
    (
        connections.selectors_find_their_pods,
        "Service surefoot selects",
        lambda given: given.one("Service", "surefoot")["spec"]["selector"].update({"app.kubernetes.io/name": "x"}),
    ),
    (
        connections.selectors_find_their_pods,
        "no PodDisruptionBudget for scorer",
        lambda given: without(given, "PodDisruptionBudget", "scorer"),
    ),
    (
        connections.spread_is_over_its_own_pods,
        "other pods",
        lambda given: constraint(given).update(labelSelector={"matchLabels": {"a": "b"}}),
    ),
    (
        connections.services_reach_ports,
        "has no port web",
        lambda given: given.one("Service", "surefoot")["spec"]["ports"][0].update(targetPort="web"),
    ),
    (
        connections.probes_reach_ports,
        "livenessProbe of scorer",
        lambda given: scorer(given)["livenessProbe"]["httpGet"].update(port="web"),
    ),
    (
        connections.policies_open_ports_that_are_there,
        "NetworkPolicy scorer opens",
        lambda given: policy(given, "scorer")["ingress"][0]["ports"][0].update(port="web"),
    ),
    (
        connections.what_pods_name_exists,
        "no key api-key in a Secret other",
        lambda given: scorer(given)["env"][-1]["valueFrom"]["secretKeyRef"].update(name="other"),
    ),
    (
        connections.volumes_are_mounted,
        "scorer has the volumes",
        lambda given: scorer(given)["volumeMounts"].pop(),
    ),
    (
        connections.the_autoscaler_alone_says_how_many,
        "says replicas",
        lambda given: given.scorer["spec"].update(replicas=3),
    ),
    (
        connections.the_autoscaler_alone_says_how_many,
        "not there",
        lambda given: given.one("HorizontalPodAutoscaler", "scorer")["spec"]["scaleTargetRef"].update(name="x"),
    ),
    (
        pods.resources_are_bounded,
        "requests more cpu",
        lambda given: scorer(given)["resources"]["requests"].update(cpu="4500m"),
    ),
    (
        pods.resources_are_bounded,
        "as much memory",
        lambda given: scorer(given)["resources"]["requests"].update(memory="1Gi"),
    ),
    (pods.pods_have_no_rights, "SUREFOOT_PORT", lambda given: pod_of(given.scorer).pop("enableServiceLinks")),
    (
        pods.containers_have_no_rights,
        "may do more",
        lambda given: scorer(given)["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    (pods.pods_have_no_rights, "as root", lambda given: pod_of(given.scorer)["securityContext"].update(runAsUser=0)),
    (
        pods.images_are_pinned,
        "is not surefoot",
        lambda given: scorer(given).update(image="registry.example.com/surefoot:latest"),
    ),
    (
        pods.images_are_pinned,
        "is not vllm-cpu",
        lambda given: main_of(generator(given)).update(image="docker.io/vllm/vllm-openai-cpu:v0.1.0"),
    ),
    (
        pods.probes_ask_what_is_answered,
        "no route /healthz",
        lambda given: scorer(given)["livenessProbe"]["httpGet"].update(path="/healthz"),
    ),
    (
        pods.probes_ask_what_is_answered,
        "livenessProbe of scorer asks /ready",
        lambda given: scorer(given)["livenessProbe"]["httpGet"].update(path="/ready"),
    ),
    (
        pods.probes_ask_what_is_answered,
        "only 50 s",
        lambda given: scorer(given)["startupProbe"].update(failureThreshold=10),
    ),
    (
        pods.drains_fit_their_grace,
        "killed 10",
        lambda given: toml_with(given, "shutdown_grace_s = 30", "shutdown_grace_s = 45"),
    ),
    (pods.drains_fit_their_grace, "everybody knows", lambda given: scorer(given).pop("lifecycle")),
    (
        pods.drains_fit_their_grace,
        "generator is killed",
        lambda given: replaced(main_of(generator(given))["args"], "timeout=60", "timeout=90"),
    ),
    (
        settings.settings_can_be_read,
        "no setting is called SUREFOOT_CASHES__SCORES",
        lambda given: variable(given, "SUREFOOT_CASHES__SCORES", "1"),
    ),
    (settings.settings_can_be_read, "setting log_form", lambda given: toml_with(given, "log_format", "log_form")),
    (
        settings.settings_can_be_read,
        "no usable key in the variable OTHER_KEY",
        lambda given: toml_with(given, "GENERATOR_API_KEY", "OTHER_KEY"),
    ),
    (
        settings.settings_name_what_is_there,
        "is no Service",
        lambda given: toml_with(given, "http://generator:8000", "http://generator:8001"),
    ),
    (
        settings.settings_name_what_is_there,
        "asks for other",
        lambda given: toml_with(given, 'model = "generator"', 'model = "other"'),
    ),
    (
        settings.settings_name_what_is_there,
        "lies in no volume",
        lambda given: toml_with(given, "/etc/surefoot-keys/", "/etc/keys/"),
    ),
    (
        settings.settings_name_what_is_there,
        "have other keys",
        lambda given: main_of(generator(given))["env"].clear(),
    ),
    (
        network.what_is_needed_passes,
        "does not reach generator:8000",
        lambda given: policy(given, "scorer")["egress"].pop(),
    ),
    (
        network.what_is_needed_passes,
        "trainer does not reach",
        lambda given: policy(given, "scorer")["ingress"][0]["from"].pop(0),
    ),
    (
        network.what_is_needed_passes,
        "kube-system:53/UDP",
        lambda given: policy(given, "scorer")["egress"][0]["ports"].pop(0),
    ),
    (
        network.nothing_else_passes,
        "trainer reaches generator",
        lambda given: policy(given, "generator")["ingress"][0].pop("from"),
    ),
    (
        network.nothing_else_passes,
        "scorer reaches internet",
        lambda given: (
            policy(given, "scorer")["egress"][1].update(ports=[], to=[{"namespaceSelector": {}}])
            or policy(given, "scorer")["egress"].append({})
        ),
    ),
]


@pytest.mark.parametrize(("rule", "said", "mutate"), MUTATIONS, ids=[said for _, said, _ in MUTATIONS])
def test_what_breaks_a_rule_is_found(cpu: Rendered, rule: Rule, said: str, mutate: Callable[[Rendered], Any]) -> None:
    mutate(cpu)
    assert any(said in complaint for complaint in rule(cpu)), list(rule(cpu))


LARGE: list[tuple[Rule, str, Callable[[Rendered], Any]]] = [
    (
        connections.stateful_sets_have_a_headless_service,
        "no headless Service",
        lambda given: given.one("Service", "scoring-model-nodes")["spec"].pop("clusterIP"),
    ),
    (
        connections.what_pods_name_exists,
        "no claim models",
        lambda given: without(given, "PersistentVolumeClaim", "models"),
    ),
    (
        pods.parallel_sizes_are_the_gpus,
        "splits the model otherwise",
        lambda given: replaced(main_of(generator(given))["args"], "size=4", "size=2"),
    ),
    (
        pods.parallel_sizes_are_the_gpus,
        "not as many pods",
        lambda given: given.one("StatefulSet", "scoring-model")["spec"].update(replicas=1),
    ),
    (
        settings.settings_name_what_is_there,
        "does not pool",
        lambda given: toml_with(given, "PRM-72B", "PRM-7B"),
    ),
    (
        network.what_is_needed_passes,
        "scoring-model does not reach scoring-model:45678",
        lambda given: policy(given, "scoring-model")["egress"].pop(),
    ),
]


@pytest.mark.parametrize(("rule", "said", "mutate"), LARGE, ids=[said for _, said, _ in LARGE])
def test_what_breaks_a_rule_of_large_models_is_found(
    large: Rendered, rule: Rule, said: str, mutate: Callable[[Rendered], Any]
) -> None:
    mutate(large)
    assert any(said in complaint for complaint in rule(large)), list(rule(large))


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in [*MUTATIONS, *LARGE]} == set(RULES)


def test_every_workload_is_looked_at(large: Rendered) -> None:
    assert {name_of(each) for each in large.workloads} == {"scorer", "generator", "scoring-model"}
