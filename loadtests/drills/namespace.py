"""A network namespace for a drill: its packets, and its rules for them, are nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from loadtests.drills.drill import CannotDrill, Drilled, needs
from loadtests.traffic.outcomes import Counts


def inside_namespace(name: str) -> Drilled:
    """Run `NAME_inside` of loadtests.drills.network in a namespace that has a loopback device and nothing more."""
    needs("ip", "iptables", root=True)
    with _namespace() as namespace:
        command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "loadtests.drills.namespace", name]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603
    if ended.returncode:
        raise RuntimeError(f"the drill inside the namespace ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    found = json.loads(ended.stdout.splitlines()[-1])
    return Drilled(Counts(**found["counts"]), found["claims"])


@contextmanager
def _namespace() -> Iterator[str]:
    name = f"surefoot-drill-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if made.returncode:
        raise CannotDrill(f"ip netns add: {made.stderr.strip()}")
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)  # noqa: S603, S607
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)  # noqa: S603, S607


def _main(name: str) -> None:
    from dataclasses import asdict

    from loadtests.drills import network

    drilled: Drilled = getattr(network, f"{name}_inside")()
    sys.stdout.write(json.dumps({"counts": asdict(drilled.counts), "claims": dict(drilled.claims)}) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])
