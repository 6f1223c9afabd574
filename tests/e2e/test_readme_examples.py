"""The README's examples run as they stand, and its table is what the program prints."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
EXAMPLES = re.findall(r"<!-- example -->\n```(bash|python)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_has_examples_of_both_kinds() -> None:
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}


@pytest.mark.parametrize(("language", "text"), EXAMPLES)
def test_an_example_runs(server, language: str, text: str) -> None:
    assert "http://127.0.0.1:8080" in text
    program = text.replace("http://127.0.0.1:8080", server.url)
    command = ["bash", "-euc", program] if language == "bash" else [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_the_settings_table_is_what_the_program_prints() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "surefoot", "settings", "--markdown"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.strip()
    assert f"<!-- settings -->\n{printed}\n<!-- /settings -->" in README.read_text(encoding="utf-8")
