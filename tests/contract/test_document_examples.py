"""The Python examples of the documents run as they stand, against a real server over the fakes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "clients/python/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON = re.compile(r"^( *)```python\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
USUAL_SERVER = "http://127.0.0.1:8080"
EXAMPLES = [
    pytest.param(path, text, id=f"{path.relative_to(ROOT)}-{number}")
    for path in DOCUMENTS
    for number, (_, text) in enumerate(PYTHON.findall(path.read_text(encoding="utf-8")), start=1)
]


def test_every_page_that_teaches_python_is_found() -> None:
    pages = {example.values[0].name for example in EXAMPLES}
    assert pages >= {"README.md", "rl.md", "tutorial.md", "tune-speed.md"}


@pytest.mark.parametrize(("path", "text"), EXAMPLES)
def test_an_example_runs_and_prints(running_server, capsys, monkeypatch, path: Path, text: str) -> None:
    assert USUAL_SERVER in text
    monkeypatch.delenv("SUREFOOT_API_KEY", raising=False)
    exec(compile(text.replace(USUAL_SERVER, running_server.url), str(path), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.strip()
