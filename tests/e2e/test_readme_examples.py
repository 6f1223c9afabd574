"""Examples of the documents run as they stand, and the table of settings is what the program prints.

An example is a block of Python or shell after a line `<!-- example -->`; it may use the server at its usual address.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SETTINGS = ROOT / "docs" / "settings.md"
DOCUMENTS = [README, ROOT / "clients/python/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MARKED = re.compile(r"<!-- example -->\n```(bash|python)\n(.*?)```", re.DOTALL)
EXAMPLES = [
    pytest.param(language, text, id=f"{path.relative_to(ROOT)}-{number}-{language}")
    for path in DOCUMENTS
    for number, (language, text) in enumerate(MARKED.findall(path.read_text(encoding="utf-8")), start=1)
]
SERVER = "http://127.0.0.1:8080"


def test_the_readme_has_examples_of_both_kinds() -> None:
    assert {language for language, _ in MARKED.findall(README.read_text(encoding="utf-8"))} == {"bash", "python"}


def test_every_mark_stands_before_a_block_that_can_run() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    assert sum(text.count("<!-- example -->") for text in texts) == len(EXAMPLES)


@pytest.mark.parametrize(("language", "text"), EXAMPLES)
def test_an_example_runs(request: pytest.FixtureRequest, tmp_path: Path, language: str, text: str) -> None:
    program = text
    if SERVER in text:
        program = text.replace(SERVER, request.getfixturevalue("server").url)
    command = ["bash", "-euo", "pipefail", "-c", program] if language == "bash" else [sys.executable, "-c", program]
    # So that `surefoot` is the one that is tested.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_the_table_of_settings_is_what_the_program_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "surefoot", "settings", "--markdown"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.strip()
    assert f"<!-- settings -->\n{printed}\n<!-- /settings -->" in SETTINGS.read_text(encoding="utf-8")
