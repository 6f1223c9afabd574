"""`surefoot serve`: the service on a port."""

from __future__ import annotations

import ipaddress
import logging
import socket
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from surefoot.errors import PortInUse
from surefoot.settings import Settings, load_settings

log = logging.getLogger(__name__)

ConfigOption = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with settings; see the README.")]


def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 opens it to the network.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = None,
) -> None:
    """Start the service and keep it up until SIGINT or SIGTERM; then finish accepted work, refuse new, and end.

    With no configuration it serves `prm` and `orm` on the embedded model and samples with vLLM where it is installed.
    """
    settings = load_settings(config, host=host, port=port)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # httpx reports every request: a line for each candidate of a remote generator.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if settings.auth.keys_file is None and not is_loopback(settings.host):
        log.warning(
            "whoever reaches %s may call: no API keys are configured; set auth.keys_file, see `surefoot keys --help`",
            settings.host,
        )
    # A taken port must be said at once, not after models have loaded.
    listener = _listen(settings.host, settings.port)
    run_server(settings, listener)


def run_server(settings: Settings, listener: socket.socket) -> None:
    """Serve on an open socket until told to stop."""
    from surefoot.api.app import create_app
    from surefoot.api.drain import Drain
    from surefoot.api.server import Server
    from surefoot.wiring import build_service

    service = build_service(settings)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for line in banner(
        settings,
        listener.getsockname(),
        [
            f"{generator.sampler.state().engine} ({generator.name}: {generator.model})"
            for generator in service.generators.values()
        ],
    ):
        console.print(line)
    drain = Drain(settings.shutdown_grace_s)
    Server(create_app(service, drain), drain).run(sockets=[listener])


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
