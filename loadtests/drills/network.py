"""The network is slow, cuts and truncates (a proxy), drops and refuses packets (iptables), or parts a replica off."""

from __future__ import annotations

import subprocess
import time
from urllib.parse import urlsplit

from loadtests.drills.drill import Drilled
from loadtests.drills.load import ClientRun
from loadtests.drills.namespace import inside_namespace
from loadtests.servers.fault_proxy import SHARES, running_fault_proxy
from loadtests.servers.surefoot_server import fake_server

NUM_ITEMS = 2_000
HELD_S = 4.0
ATTEMPT_S = 2.0
"""After which the client tries again: what a dropped packet costs."""


def bad_network(num_items: int = NUM_ITEMS) -> Drilled:
    """The client through a proxy that answers late, in drips, half or not at all, and resets connections."""
    with fake_server("") as server, running_fault_proxy(server.url, seed=9) as proxy:
        run = ClientRun([proxy.url], num_items)
        run.start().result()
        faults = set(proxy.faults)
    return Drilled(
        run.counts(), {"every kind of fault came about": faults == set(SHARES), "no item failed": run.num_failed == 0}
    )


def dropped_packets() -> Drilled:
    """iptables drops what goes to the server for seconds, then refuses it, in a network namespace of its own."""
    return inside_namespace("dropped_packets")


def replica_cut_off() -> Drilled:
    """One of two replicas is cut off for good while the client has work at both, in a namespace of the drill's own."""
    return inside_namespace("replica_cut_off")


def dropped_packets_inside() -> Drilled:
    """The drill itself, where iptables is nobody else's."""
    with fake_server("", "--tokens-per-s", "20000") as server:
        run = ClientRun([server.url], NUM_ITEMS, attempt_timeout_s=ATTEMPT_S)
        running = run.start()
        claims = {}
        for share, target in ((0.1, ["DROP"]), (0.3, ["REJECT", "--reject-with", "tcp-reset"])):
            run.until_settled(share)
            _firewall(server.url, "-A", target)
            time.sleep(1)
            before = len(run.settled)
            time.sleep(HELD_S)
            claims[f"with {target[0]} nothing comes through"] = len(run.settled) == before
            _firewall(server.url, "-D", target)
        running.result()
    return Drilled(run.counts(), {**claims, "no item failed": run.num_failed == 0})


def replica_cut_off_inside() -> Drilled:
    """The drill itself."""
    speed = ("--tokens-per-s", "20000")
    with fake_server("", *speed) as first, fake_server("", *speed) as second:
        run = ClientRun([first.url, second.url], NUM_ITEMS, attempt_timeout_s=ATTEMPT_S)
        running = run.start()
        run.until_settled(0.2)
        _firewall(first.url, "-A", ["DROP"])
        time.sleep(ATTEMPT_S + 1)
        before = len(run.settled)
        running.result()
        went_on = len(run.settled) > before
        _firewall(first.url, "-D", ["DROP"])
    return Drilled(run.counts(), {"the other replica goes on": went_on, "no item failed": run.num_failed == 0})


def _firewall(url: str, change: str, target: list[str]) -> None:
    port = str(urlsplit(url).port)
    rule = ["INPUT", "-p", "tcp", "--dport", port, "-j", *target]
    subprocess.run(["iptables", change, *rule], check=True)  # noqa: S603, S607
