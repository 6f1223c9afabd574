"""The application: routes, errors and middleware around a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version

from fastapi import FastAPI

from surefoot.api.compressed_bodies import Unpack
from surefoot.api.described_keys import describe_keys
from surefoot.api.dialects.table import ROUTERS
from surefoot.api.drain import Drain, Gate
from surefoot.api.errors import install_error_handlers
from surefoot.api.guard import KeyGuard
from surefoot.api.middleware import BodyLimit, Caller, Measured, RequestId, Unexpected
from surefoot.api.routes import admin, best_of_n, chat, operations, rank, sample, score, select
from surefoot.api.service import Limits, Service

_GRACE_S = 30.0


def create_app(service: Service, drain: Drain | None = None) -> FastAPI:
    """The ASGI application; it starts and closes the service with its own life, and lets work in until `drain` begins.

    Without a `drain` it gets one of its own, for servers that do not know of draining.
    """
    drain = drain or Drain(_GRACE_S)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="surefoot",
        version=version("surefoot"),
        summary="Process and outcome reward models: per-step probabilities, the first error, the best of N.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.drain = drain
    _include_routes(app, service)
    install_error_handlers(app, service.telemetry.error)
    # The last one added is the outermost: an unexpected error is answered inside what counts and names requests.
    app.add_middleware(Unexpected, count_error=service.telemetry.error)
    if service.keys is None:
        app.add_middleware(Caller)
    app.add_middleware(Unpack, limits=lambda: app.state.service.limits)
    app.add_middleware(BodyLimit, limits=lambda: app.state.service.limits)
    app.add_middleware(Gate, drain=drain)
    if service.keys is not None:
        # Outside of whatever reads or counts work: a stranger costs neither.
        app.add_middleware(
            KeyGuard,
            routes=app.routes,
            keys=service.keys,
            count_error=service.telemetry.error,
            metrics_need_key=service.metrics_need_key,
        )
        describe_keys(app, metrics_need_key=service.metrics_need_key)
    app.add_middleware(Measured, finished=service.telemetry.request_finished)
    app.add_middleware(RequestId)
    return app


def _include_routes(app: FastAPI, service: Service) -> None:
    for room in (score, rank, sample, best_of_n, chat, select, operations):
        app.include_router(room.router)
    for dialect, routers in ROUTERS.items():
        for router in routers if dialect in service.dialects else ():
            app.include_router(router)
    if service.admin_routes:
        app.include_router(admin.router)


def set_limits(app: FastAPI, limits: Limits) -> None:
    """Bound every request that comes from now on by these."""
    app.state.service = replace(app.state.service, limits=limits)
