"""`surefoot serve`: the service on a port."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.consoles import progress_console
from surefoot.cli.ending import CLOSING_S, LEAVING_S, MODEL_FAILED, end_within
from surefoot.errors import PortInUse
from surefoot.log_lines import LogFormat, set_up_logging
from surefoot.settings import Settings, load_settings

if TYPE_CHECKING:
    from surefoot.api.service import Service

log = logging.getLogger(__name__)

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with settings; see the README.")]


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Start the service and keep it up until SIGINT or SIGTERM; then finish accepted work, refuse new, and end.

    It ends with status 70 when a model cannot go on (a stuck forward pass, a lost engine): start it again then.

    With no configuration it serves `prm` and `orm` on the embedded model and samples with vLLM where it is installed.
    """
    read = partial(load_settings, config, host=host, port=port)
    settings = read()
    set_up_logging(settings.log_level, settings.log_format)
    warn_if_open(settings)
    # A taken port must be said at once, not after models have loaded.
    listener = _listen(settings.host, settings.port)
    from surefoot.wiring import build_service

    service = build_service(settings)
    samplers = [
        f"{generator.sampler.state().engine} ({generator.name}: {generator.model})"
        for generator in service.generators.values()
    ]
    _announce(banner(settings, listener.getsockname(), samplers), settings.log_format)
    run_server(service, settings, listener, read)


def run_server(service: Service, settings: Settings, listener: socket.socket, read: Callable[[], Settings]) -> None:
    """Serve on an open socket until told to stop; then the process ends in time, whatever its threads do.

    SIGHUP has `read` called, and what may change taken over.
    Raises `typer.Exit` with `MODEL_FAILED` after a fault of a model, where `exit_on_failure` is set.
    """
    from surefoot.api.app import create_app, set_limits
    from surefoot.api.drain import Drain
    from surefoot.api.server import Hooks, Server
    from surefoot.wiring.reconfigure import Configuration

    def status() -> int:
        return MODEL_FAILED if server.has_failed else 0

    drain = Drain(settings.shutdown_grace_s)
    app = create_app(service, drain)
    configuration = Configuration(settings, read, service.registry, partial(set_limits, app))
    hooks = Hooks(
        fault=service.registry.fault if settings.exit_on_failure else lambda: None,
        stopping=lambda: end_within(CLOSING_S, status()),
        reread=configuration.reread,
    )
    server = Server(app, drain, hooks)
    server.run(sockets=[listener])
    end_within(LEAVING_S, status())
    if server.has_failed:
        raise typer.Exit(MODEL_FAILED)


def banner(settings: Settings, address: tuple[Any, ...], samplers: list[str]) -> list[str]:
    """What is about to run: where, with which models, and which samplers were chosen."""
    host, port = address[:2]
    names = ", ".join(f"{model.name} ({model.profile})" for model in settings.models) or "none"
    return [
        f"surefoot {version('surefoot')} on http://{f'[{host}]' if ':' in str(host) else host}:{port}",
        f"  reward models: {names}",
        f"  sampler: {', '.join(samplers) or 'none'}, chosen by generator.engine = {settings.generator.engine}",
        "  /docs shows the API, /ready says when the models are loaded",
    ]


def _announce(lines: list[str], log_format: LogFormat) -> None:
    if log_format == "json":
        log.info("%s", "; ".join(line.strip() for line in lines))
        return
    console = progress_console()
    for line in lines:
        console.print(line)


def warn_if_open(settings: Settings) -> None:
    """Say so where strangers may call."""
    if settings.auth.keys_file is None and not is_loopback(settings.host):
        log.warning(
            "whoever reaches %s may call: no API keys are configured; set auth.keys_file, see `surefoot keys --help`",
            settings.host,
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as cause:
        listener.close()
        raise PortInUse(
            f"cannot listen on {host}:{port}: {cause.strerror}; stop what uses it, or choose another with --port",
            param="port",
        ) from cause
    listener.set_inheritable(False)
    return listener
