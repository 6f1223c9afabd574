"""The program, run in this process over a fake service."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from surefoot.api.service import Service
from surefoot.cli.main import app
from surefoot.settings import Settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service


@dataclass
class Program:
    """Calls verbs; `parts` make the service, new ones each time by default; `settings` are what each was built with."""

    parts: FakeParts | None = None
    settings: list[Settings] = field(default_factory=list)

    def __call__(self, *arguments: str | Path, stdin: bytes | None = None) -> Result:
        def build(settings: Settings) -> Service:
            self.settings.append(settings)
            return build_fake_service(self.parts or FakeParts()).service

        return CliRunner().invoke(app, [str(argument) for argument in arguments], obj=build, input=stdin)

    def with_parts(self, **parts: Any) -> "Program":
        return Program(FakeParts(**parts))


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture(scope="session")
def new_program() -> type[Program]:
    """For a run that a module's tests share."""
    return Program


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises `KeyboardInterrupt`, also where the tests were started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def interrupted_training(monkeypatch) -> Callable[[], AbstractContextManager[list[float]]]:
    """Within it training is interrupted after its second step, as by Ctrl-C; gives the losses of the steps."""
    from surefoot.cli.training_progress import ShownTraining

    stepped = ShownTraining.stepped

    @contextmanager
    def interrupted() -> Iterator[list[float]]:
        losses: list[float] = []

        def interrupt(self: ShownTraining, epoch: int, num_tokens: int, loss: float) -> None:
            stepped(self, epoch, num_tokens, loss)
            losses.append(loss)
            if len(losses) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(ShownTraining, "stepped", interrupt)
            yield losses

    return interrupted


@pytest.fixture
def on_the_cpu(monkeypatch, tmp_path: Path) -> None:
    """Settings for training that gives the same from run to run."""
    for name, value in {"DEVICE": "cpu", "DTYPE": "float32", "THREADS": "1", "CACHE_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"SUREFOOT_{name}", value)


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines into a file and gives its path."""

    def write(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
