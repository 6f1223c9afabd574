"""The client as a stranger has it: alone in an environment of its own, against the real server."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("pydantic", "surefoot", "torch", "transformers")


def isolated(python: Path, program: str) -> str:
    """What a program prints that sees nothing but its own environment."""
    ended = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that holds the client and what it depends on."""
    scratch = tmp_path_factory.mktemp("stranger")
    # A copy, because building leaves files beside what is built.
    unwanted = shutil.ignore_patterns("*.egg-info", "build", "__pycache__", ".*_cache")
    client = shutil.copytree(ROOT / "clients/python", scratch / "client", ignore=unwanted)
    subprocess.run([sys.executable, "-m", "venv", scratch / "venv"], check=True, timeout=60)
    installed = subprocess.run(
        [scratch / "venv/bin/pip", "install", "--quiet", client],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    return scratch / "venv/bin/python"


def test_it_brings_nothing_heavy(python: Path) -> None:
    found = isolated(python, f"from importlib.util import find_spec; print([n for n in {HEAVY} if find_spec(n)])")
    assert json.loads(found.replace("'", '"')) == []


def test_the_readmes_example_ends_in_scores(server, python: Path) -> None:
    [example] = re.findall(
        r"^```python\n(from surefoot_client import SurefootClient\n.*?)^```",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    printed = isolated(python, example.replace("http://127.0.0.1:8080", server.url))
    scored = [line for line in printed.splitlines() if "first error:" in line]
    assert len(scored) == 1
    assert all(0 <= float(line.split()[0]) <= 1 for line in scored)
