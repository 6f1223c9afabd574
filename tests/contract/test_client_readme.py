"""The examples of the client's README run as they stand, against a real server."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "clients/python/README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(serve_http, capsys, text: str) -> None:
    assert "http://127.0.0.1:8080" in text
    exec(compile(text.replace("http://127.0.0.1:8080", serve_http().url), str(README), "exec"), {})
    assert capsys.readouterr().out.strip()
