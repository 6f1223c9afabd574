"""Headers and counts that the scoring routes share."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import Response

from surefoot.domain import Timing, Usage
from surefoot.errors import SurefootError
from surefoot.ports import Telemetry


def cost_headers(response: Response, timing: Timing, usage: Usage) -> None:
    """What the request cost: milliseconds waiting and computing, and tokens scored."""
    response.headers["x-queue-time"] = f"{timing.queue_s * 1000:.3f}"
    response.headers["x-inference-time"] = f"{timing.forward_s * 1000:.3f}"
    response.headers["x-scored-tokens"] = str(usage.prompt_tokens)


def count_item_errors(telemetry: Telemetry, results: Iterable[object]) -> None:
    """Count the items that failed by their codes."""
    for result in results:
        if isinstance(result, Exception):
            telemetry.error(result.code if isinstance(result, SurefootError) else "internal_error")
