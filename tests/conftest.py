"""Tiny random checkpoints with a real tokenizer, and the real scoring line on top of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keys_in_file import KeysInFile
from surefoot.domain import GroupScore, ScoreOptions, ScoreTask, SolutionScore
from surefoot.ports import SilentTelemetry
from surefoot.registry import Registry
from surefoot.settings import ModelSettings, Settings
from surefoot.succession import Succession
from tiny_models import TinyCheckpoints


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyCheckpoints:
    """Makes tiny checkpoints: `tiny("llama")`, `tiny("math-shepherd")`, `tiny("qwen2_tokens", num_labels=3)`."""
    return TinyCheckpoints(tmp_path_factory.mktemp("checkpoints"))


@dataclass
class RecordingTelemetry(SilentTelemetry):
    """Remembers how many inputs each forward pass held, and how many wait."""

    batch_sizes: list[int] = field(default_factory=list)
    num_waiting: int = 0

    def batch_forwarded(
        self, model: str, num_items: int, num_tokens: int, queue_s: Sequence[float], forward_s: float
    ) -> None:
        self.batch_sizes.append(num_items)

    def queue_changed(self, model: str, num_requests: int, num_tokens: int) -> None:
        self.num_waiting = num_requests


@dataclass
class Served:
    """Reward models as the service has them."""

    registry: Registry
    telemetry: RecordingTelemetry
    succession: Succession

    async def group(self, name: str, tasks: Sequence[ScoreTask], **options: Any) -> GroupScore:
        return await self.registry.get(name).line.score_group(tasks, ScoreOptions(**options))

    async def scores(self, name: str, tasks: Sequence[ScoreTask], **options: Any) -> list[SolutionScore]:
        """Scores of `tasks` as one group; an item's error is raised."""
        results = (await self.group(name, tasks, **options)).results
        for result in results:
            if isinstance(result, Exception):
                raise result
        return [result for result in results if isinstance(result, SolutionScore)]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Loads models the way the service does: `await serve({"prm": ("embedded-prm", directory)}, dtype="bfloat16")`;
    a third value holds further settings of the model."""
    from surefoot.wiring.models import ModelLoader

    opened: list[Registry | Succession] = []

    async def load(models: dict[str, tuple[Any, ...]], **settings: Any) -> Served:
        named = [
            ModelSettings(name=name, profile=profile, path=str(path), **(further[0] if further else {}))
            for name, (profile, path, *further) in models.items()
        ]
        # What is computed is compared here: nothing is remembered unless a test asks for it.
        forgetful = {"caches": {"scores": 0, "prefix_mib": 0}}
        chosen = {"device": "cpu", "dtype": "float32", "max_input_tokens": 16_384} | forgetful | settings
        telemetry = RecordingTelemetry()
        loader = ModelLoader(Settings(models=named, **chosen), telemetry)
        registry = loader.registry()
        succession = loader.succession(registry)
        opened.extend((registry, succession))
        await registry.load_all()
        assert registry.is_ready(), registry.states()
        telemetry.batch_sizes.clear()  # of the probes at start
        return Served(registry, telemetry, succession)

    yield load
    for part in opened:
        await part.close()


@pytest.fixture(scope="session")
def difference() -> Callable[[Sequence[float], Sequence[float]], float]:
    """The largest absolute difference of two equally long lists of numbers, of which there is at least one."""
    return lambda left, right: max(abs(a - b) for a, b in zip(left, right, strict=True))


@pytest.fixture
def keys_in_file(tmp_path: Path) -> KeysInFile:
    """A keys file of this test's own; it comes to be with its first key, or with the ring that reads it."""
    return KeysInFile(tmp_path / "keys.json")


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings read nothing from the environment of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("SUREFOOT_", "XDG_CACHE_HOME")):
            monkeypatch.delenv(name)
