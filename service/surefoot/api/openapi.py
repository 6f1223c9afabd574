"""The OpenAPI document without any model: `python -m surefoot.api.openapi > docs/openapi.json`."""

from __future__ import annotations

import json
import sys

from surefoot.answers import EquivalenceJudge
from surefoot.api.app import create_app
from surefoot.api.service import Limits, Service
from surefoot.ports import SilentTelemetry
from surefoot.promotions import Promotions
from surefoot.ranking import Ranker
from surefoot.registry import Registry
from surefoot.succession import Succession


def openapi_text() -> str:
    """The document as `docs/openapi.json` holds it: indented, keys sorted, with a newline at its end."""
    return json.dumps(create_app(_empty_service()).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _empty_service() -> Service:
    """Enough of a service to describe its routes; it is never started."""

    async def nothing() -> None: ...

    judge: EquivalenceJudge = _NoJudge()
    registry = Registry({}, {})
    return Service(
        registry=registry,
        succession=Succession(registry, {}, {}, SilentTelemetry(), Promotions(None)),
        generators={},
        ranker=Ranker(judge),
        telemetry=SilentTelemetry(),
        limits=Limits(),
        metrics_text=lambda: (b"", ""),
        start=nothing,
        close=nothing,
        admin_routes=True,
    )


class _NoJudge:
    def equivalent(self, first: str, second: str) -> bool:  # noqa: ARG002
        return False


if __name__ == "__main__":
    sys.stdout.write(openapi_text())
