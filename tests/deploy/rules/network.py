"""What the network policies let through, computed as the cluster would: what is needed passes, nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.rendering import Object, Rendered, labels_of, main_of, matches, name_of


@dataclass(frozen=True)
class Peer:
    """Somebody on the network; without `namespace` outside of the cluster."""

    name: str
    namespace: dict[str, str] | None = field(default_factory=lambda: {"kubernetes.io/metadata.name": "surefoot"})
    labels: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.namespace is not None and self.namespace.get("kubernetes.io/metadata.name") == "surefoot"


def somebody(name: str, **labels: str) -> Peer:
    return Peer(name, {"kubernetes.io/metadata.name": name, **labels})


TRAINER = Peer("trainer", {"kubernetes.io/metadata.name": "trainers", "surefoot-client": "true"})
STRANGER = somebody("stranger")
PROMETHEUS = somebody("monitoring")
DNS = somebody("kube-system")
INTERNET = Peer("internet", None)


def peer_of(workload: Object) -> Peer:
    ports = {port["name"]: port["containerPort"] for port in main_of(workload).get("ports", [])}
    return Peer(name_of(workload), labels=labels_of(workload), ports=ports)


def passes(given: Rendered, source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether both ends' policies let a connection through."""
    leaves = not source.is_ours or _is_let(given, source, target, (port, protocol), "Egress")
    return leaves and (not target.is_ours or _is_let(given, target, source, (port, protocol), "Ingress"))


def _is_let(given: Rendered, subject: Peer, other: Peer, port: tuple[int, str], direction: str) -> bool:
    policies = [
        each["spec"]
        for each in given.of("NetworkPolicy")
        if direction in each["spec"]["policyTypes"] and _selects(each["spec"]["podSelector"], subject.labels)
    ]
    rules = [rule for spec in policies for rule in spec.get(direction.lower(), [])]
    side = "from" if direction == "Ingress" else "to"
    opened = subject if direction == "Ingress" else other
    return not policies or any(_lets(rule, side, other, opened, port) for rule in rules)


def _lets(rule: Object, side: str, other: Peer, opened: Peer, port: tuple[int, str]) -> bool:
    number, protocol = port
    ports = [
        (opened.ports.get(each["port"], each["port"]), each.get("protocol", "TCP")) for each in rule.get("ports", [])
    ]
    return (not ports or (number, protocol) in ports) and (
        side not in rule or any(_is_meant(each, other) for each in rule[side])
    )


def _is_meant(selectors: Object, other: Peer) -> bool:
    if "namespaceSelector" in selectors:
        is_there = other.namespace is not None and _selects(selectors["namespaceSelector"], other.namespace)
    else:
        is_there = other.is_ours
    return is_there and _selects(selectors.get("podSelector", {}), other.labels)


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    return matches(selector.get("matchLabels", {}), labels)


def what_is_needed_passes(given: Rendered) -> Iterator[str]:
    peers = {name_of(each): peer_of(each) for each in given.workloads}
    scorer, engines = peers["scorer"], [peer for name, peer in peers.items() if name != "scorer"]
    needed = [(TRAINER, scorer, 8080, "TCP"), (PROMETHEUS, scorer, 8080, "TCP")]
    needed += [(scorer, DNS, 53, protocol) for protocol in ("UDP", "TCP")]
    needed += [(scorer, engine, 8000, "TCP") for engine in engines]
    if "scoring-model" in peers:
        node = peers["scoring-model"]
        # The rendezvous, and what NCCL chooses.
        needed += [(node, node, port, "TCP") for port in (8000, 29501, 45678)] + [(node, DNS, 53, "UDP")]
    for source, target, port, protocol in needed:
        if not passes(given, source, target, port, protocol):
            yield f"{source.name} does not reach {target.name}:{port}/{protocol}"


def nothing_else_passes(given: Rendered) -> Iterator[str]:
    peers = {name_of(each): peer_of(each) for each in given.workloads}
    engines = [peer for name, peer in peers.items() if name != "scorer"]
    # vLLM asks for its key below /v1 alone.
    closed = [(source, engine, 8000) for engine in engines for source in (TRAINER, STRANGER, PROMETHEUS)]
    closed += [(STRANGER, peers["scorer"], 8080), (Peer("another pod of the namespace"), peers["scorer"], 8080)]
    closed += [(peer, INTERNET, 443) for peer in peers.values()]
    closed += [(peers["generator"], peers["scorer"], 8080)]
    for source, target, port in closed:
        if passes(given, source, target, port):
            yield f"{source.name} reaches {target.name}:{port}"
