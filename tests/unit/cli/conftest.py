"""The program, run in this process over a fake service."""

from collections.abc import Callable
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


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Writes lines into a file and gives its path."""

    def write(name: str, *lines: str) -> Path:
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
