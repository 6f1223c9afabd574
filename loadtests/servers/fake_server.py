"""What `surefoot serve` runs, over the shipped fakes: everything but weights, up within seconds.

`python -m loadtests.servers.fake_server surefoot.toml --tokens-per-s 2000` serves prm and orm, each with a candidate
`v2`, and the scripted sampler, beside the remote generators of the file. The address is the first line of the output.
"""

from __future__ import annotations

import math
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from surefoot.access import KeyRing
from surefoot.backends.fake_backend import FakeBackend
from surefoot.cli.serve import run_server
from surefoot.log_lines import set_up_logging
from surefoot.metrics import PrometheusTelemetry
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.settings import Settings, load_settings
from surefoot.wiring.engines import scheduler_limits
from surefoot.wiring.fake_service import FakeParts, build_fake_service, fake_profiles
from surefoot.wiring.generators import build_remote_generator
from surefoot.wiring.reconfigure import request_limits


def main(
    config: Annotated[Path, typer.Argument(help="TOML file with settings; models and the own generator are not read.")],
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    hangs_s: Annotated[float, typer.Option(help="The first forward pass is stuck for so long; inf: for ever.")] = 0.0,
    tokens_per_s: Annotated[float, typer.Option(help="Speed of a pass; 0: as fast as it goes.")] = 0.0,
) -> None:
    """Serve until told to stop."""
    read = partial(load_settings, config)
    settings = read()
    set_up_logging(settings.log_level, settings.log_format)
    backend = FakeBackend(token_delay_s=1 / tokens_per_s if tokens_per_s else 0.0)
    if hangs_s > 0:
        backend.hang()
    if 0 < hangs_s < math.inf:
        threading.Timer(hangs_s, backend.release).start()
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    typer.echo(f"http://127.0.0.1:{listener.getsockname()[1]}")
    parts = _parts(backend, scheduler_limits("vllm", settings), settings)
    run_server(build_fake_service(parts).service, settings, listener, read)


def _parts(backend: FakeBackend, queue: SchedulerLimits, settings: Settings) -> FakeParts:
    telemetry = PrometheusTelemetry()
    keys_file = settings.auth.keys_file
    remote = [build_remote_generator(wanted) for wanted in settings.remote_generators]
    profiles = fake_profiles()
    return FakeParts(
        profiles=profiles,
        backend=backend,
        further_samplers={generator.name: generator.sampler for generator in remote},
        limits=request_limits(settings),
        queue=queue,
        telemetry=telemetry,
        candidates={name: {"v2": profiles[name]} for name in ("prm", "orm")},
        promotions_file=settings.promotions_file,
        admin_routes=settings.admin_routes,
        keys=None if keys_file is None else KeyRing(keys_file, count_error=telemetry.error),
    )


if __name__ == "__main__":
    typer.run(main)
