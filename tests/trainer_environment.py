"""An environment for a trainer that asks for other versions than ours: its own package, everything else from here."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLIENT = Path(__file__).parents[1] / "clients/python/src"


@dataclass(frozen=True)
class TrainerEnvironment:
    python: Path

    def run(self, program: Path, task: object) -> Any:
        """What a program answers with, as JSON in its last line, to a task on its standard input."""
        done = subprocess.run(
            [self.python, "-W", "ignore", program],
            input=json.dumps(task),
            env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(CLIENT)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.splitlines()[-1])


def trainer_environment(directory: Path, trainer: str, needs: Sequence[str]) -> TrainerEnvironment:
    """`trainer` is installed without what it asks for, of which `needs` is what its calling code imports."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True, timeout=60)
    environment = TrainerEnvironment(directory / "bin/python")
    [packages] = directory.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "ours.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in ours))
    for wanted in ([*needs], ["--no-deps", trainer]):
        installed = subprocess.run(
            [environment.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert installed.returncode == 0, installed.stderr[-4000:]
    return environment
