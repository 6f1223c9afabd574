"""What a request cost."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot_client.reading import Fields, Received, integer, number


@dataclass(frozen=True, slots=True)
class Usage(Received):
    """Token counts of a request: as sent, each distinct prefix once, and read from a cache."""

    prompt_tokens: int = 0
    unique_tokens: int = 0
    cached_tokens: int = 0

    @classmethod
    def from_dict(cls, value: object, path: str = "usage") -> Usage:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            prompt_tokens=fields.optional("prompt_tokens", integer) or 0,
            unique_tokens=fields.optional("unique_tokens", integer) or 0,
            cached_tokens=fields.optional("cached_tokens", integer) or 0,
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class SamplingUsage(Received):
    """Tokens of the prompt, once, and of all candidates; `scoring` is what ranking them cost, if they were."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    scoring: Usage | None = None

    @classmethod
    def from_dict(cls, value: object, path: str = "usage") -> SamplingUsage:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            prompt_tokens=fields.optional("prompt_tokens", integer) or 0,
            completion_tokens=fields.optional("completion_tokens", integer) or 0,
            scoring=fields.optional("scoring", Usage.from_dict),
            _json=fields.json,
        )


@dataclass(frozen=True, slots=True)
class Timing(Received):
    """Where a request's time went, in seconds."""

    queue_s: float = 0.0
    forward_s: float = 0.0
    total_s: float = 0.0

    @classmethod
    def from_dict(cls, value: object, path: str = "timing") -> Timing:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            queue_s=fields.optional("queue_s", number) or 0.0,
            forward_s=fields.optional("forward_s", number) or 0.0,
            total_s=fields.optional("total_s", number) or 0.0,
            _json=fields.json,
        )
