"""What names something else names something that is there. Each rule gives its complaints."""

from __future__ import annotations

from collections.abc import Iterator

from deploy.rendering import Object, Rendered, containers_of, labels_of, main_of, matches, name_of, pod_of

SECRETS = {"api-keys": {"keys.json"}, "generator-key": {"api-key"}, "scoring-model-key": {"api-key"}}
"""What docs/kubernetes.md has made by hand, with their keys: a secret does not belong into a repository."""


def selectors_find_their_pods(given: Rendered) -> Iterator[str]:
    """Exactly one workload for each Service, budget and policy; each workload has one of all three."""
    selecting = [
        *((each, each["spec"]["selector"]) for each in given.of("Service")),
        *((each, each["spec"]["selector"]["matchLabels"]) for each in given.of("PodDisruptionBudget")),
        *((each, each["spec"]["podSelector"]["matchLabels"]) for each in given.of("NetworkPolicy") if _chooses(each)),
    ]
    found: set[tuple[str, str]] = set()
    for each, selector in selecting:
        selected = [name_of(one) for one in given.workloads if matches(selector, labels_of(one))]
        if len(selected) != 1:
            yield f"{each['kind']} {name_of(each)} selects {selected}"
        found |= {(each["kind"], name) for name in selected}
    for workload in given.workloads:
        if not matches(workload["spec"]["selector"]["matchLabels"], labels_of(workload)):
            yield f"{name_of(workload)} does not select its own pods"
        for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
            if (kind, name_of(workload)) not in found:
                yield f"no {kind} for {name_of(workload)}"


def _chooses(policy: Object) -> bool:
    return bool(policy["spec"]["podSelector"])


def spread_is_over_its_own_pods(given: Rendered) -> Iterator[str]:
    for workload in given.workloads:
        pod = pod_of(workload)
        apart = pod.get("affinity", {}).get("podAntiAffinity", {})
        terms = [
            *pod.get("topologySpreadConstraints", []),
            *apart.get("requiredDuringSchedulingIgnoredDuringExecution", []),
        ]
        for term in terms:
            if not matches(term["labelSelector"]["matchLabels"], labels_of(workload)):
                yield f"{name_of(workload)} is spread over other pods, by {term['topologyKey']}"
    if not pod_of(given.scorer).get("topologySpreadConstraints"):
        yield "scorers may all stand on one node"


def services_reach_ports(given: Rendered) -> Iterator[str]:
    for service in given.of("Service"):
        for workload in _selected(given, service["spec"]["selector"]):
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in _port_names(workload):
                    yield f"Service {name_of(service)}: {name_of(workload)} has no port {port['targetPort']}"


def probes_reach_ports(given: Rendered) -> Iterator[str]:
    for workload in given.workloads:
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = main_of(workload).get(kind, {}).get("httpGet")
            if asked and asked["port"] not in _port_names(workload):
                yield f"{kind} of {name_of(workload)} asks the port {asked['port']}"


def policies_open_ports_that_are_there(given: Rendered) -> Iterator[str]:
    for policy in filter(_chooses, given.of("NetworkPolicy")):
        names = {port["port"] for rule in policy["spec"].get("ingress", []) for port in rule.get("ports", [])}
        for workload in _selected(given, policy["spec"]["podSelector"]["matchLabels"]):
            if not names <= _port_names(workload) | _port_numbers(workload):
                yield f"NetworkPolicy {name_of(policy)} opens {sorted(map(str, names))} of {name_of(workload)}"


def _selected(given: Rendered, selector: dict[str, str]) -> list[Object]:
    return [each for each in given.workloads if matches(selector, labels_of(each))]


def _port_names(workload: Object) -> set[object]:
    return {port["name"] for port in main_of(workload)["ports"]}


def _port_numbers(workload: Object) -> set[object]:
    return {port["containerPort"] for port in main_of(workload)["ports"]}


def what_pods_name_exists(given: Rendered) -> Iterator[str]:
    maps, claims, accounts = (given.names(kind) for kind in ("ConfigMap", "PersistentVolumeClaim", "ServiceAccount"))
    for workload in given.workloads:
        pod, name = pod_of(workload), name_of(workload)
        if pod["serviceAccountName"] not in accounts:
            yield f"{name}: no account {pod['serviceAccountName']}"
        for volume in pod.get("volumes", []):
            if "configMap" in volume and volume["configMap"]["name"] not in maps:
                yield f"{name}: no ConfigMap {volume['configMap']['name']}"
            if "secret" in volume and volume["secret"]["secretName"] not in SECRETS:
                yield f"{name}: no Secret {volume['secret']['secretName']}"
            if "persistentVolumeClaim" in volume and volume["persistentVolumeClaim"]["claimName"] not in claims:
                yield f"{name}: no claim {volume['persistentVolumeClaim']['claimName']}"
        for container in containers_of(workload):
            for variable in container.get("env", []):
                key = variable.get("valueFrom", {}).get("secretKeyRef")
                if key and key["key"] not in SECRETS.get(key["name"], set()):
                    yield f"{name}: no key {key['key']} in a Secret {key['name']}"


def volumes_are_mounted(given: Rendered) -> Iterator[str]:
    for workload in given.workloads:
        volumes = {volume["name"] for volume in pod_of(workload).get("volumes", [])}
        volumes |= {name_of(claim) for claim in workload["spec"].get("volumeClaimTemplates", [])}
        mounted = {mount["name"] for each in containers_of(workload) for mount in each.get("volumeMounts", [])}
        if volumes != mounted:
            yield f"{name_of(workload)} has the volumes {sorted(volumes)} and mounts {sorted(mounted)}"
        for container in containers_of(workload):
            places = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            if len(places) != len(set(places)):
                yield f"{name_of(workload)} mounts two volumes at one place"


def stateful_sets_have_a_headless_service(given: Rendered) -> Iterator[str]:
    for workload in given.of("StatefulSet"):
        services = [each for each in given.of("Service") if name_of(each) == workload["spec"]["serviceName"]]
        if [each["spec"].get("clusterIP") for each in services] != ["None"]:
            yield f"{name_of(workload)} has no headless Service {workload['spec']['serviceName']}"


def the_autoscaler_alone_says_how_many(given: Rendered) -> Iterator[str]:
    for scaler in given.of("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        scaled = [each for each in given.of(target["kind"]) if name_of(each) == target["name"]]
        if len(scaled) != 1:
            yield f"{name_of(scaler)} scales {target['kind']} {target['name']}, which is not there"
        elif "replicas" in scaled[0]["spec"]:
            yield f"{target['name']} says replicas, which an apply would set back"
        if scaler["spec"]["minReplicas"] < 2:
            yield f"{name_of(scaler)} may leave a single replica, which every roll takes away"
