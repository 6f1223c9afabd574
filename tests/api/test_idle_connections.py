"""Who sends is who closes an idle connection."""

from surefoot.api.app import create_app
from surefoot.api.drain import Drain
from surefoot.api.server import Server

OTHERS_KEEP_S = 60
"""nginx, Envoy-based ingresses and AWS' load balancers, by their defaults."""


async def test_the_server_keeps_idle_connections_longer_than_proxies_do(serve) -> None:
    api = await serve()
    drain = Drain(1.0)
    assert Server(create_app(api.fake.service, drain), drain).config.timeout_keep_alive > OTHERS_KEEP_S
