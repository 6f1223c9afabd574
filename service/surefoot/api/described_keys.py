"""What the description of the API says of keys, where a service asks for them: /docs can then send one."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from surefoot.api.guard import needed_for

_SCHEME = {"type": "http", "scheme": "bearer", "description": "An API key, as `surefoot keys new` makes them."}


def describe_keys(app: FastAPI, *, metrics_need_key: bool) -> None:
    """Have the app's OpenAPI document name the scopes that each operation needs."""
    undescribed = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = undescribed()
            document.setdefault("components", {})["securitySchemes"] = {"key": _SCHEME}
            for route in app.routes:
                if not (isinstance(route, APIRoute) and route.include_in_schema):
                    continue
                needed = needed_for(route.path, metrics_need_key=metrics_need_key)
                if needed is not None:
                    for operation in document["paths"][route.path_format].values():
                        operation["security"] = [{"key": sorted(needed)}]
            app.openapi_schema = document
        return app.openapi_schema

    # FastAPI's documentation has a document changed in this way.
    app.openapi = described  # type: ignore[method-assign]
