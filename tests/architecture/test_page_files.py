"""The page's files stay small and plain, never read a text as HTML, and travel in the wheel."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "service/surefoot/api/web"
SCRIPTS = sorted((WEB / "js").glob("*.js"))
OURS = sorted(path for path in WEB.rglob("*") if path.suffix in {".js", ".css", ".html"} and "vendor" not in path.parts)
ALL_SCRIPTS = sorted(WEB.rglob("*.js"))
AS_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|setHTML|srcdoc"
)
AS_CODE = re.compile(r"\beval\(|new Function|setTimeout\(\s*[\"'`]|javascript:")
ELSEWHERE = re.compile(r"https?://(?!www\.w3\.org/)")
BUILT = """
from setuptools import Distribution
from setuptools.config.pyprojecttoml import apply_configuration
found = Distribution({"name": "surefoot"})
apply_configuration(found, "pyproject.toml")
build = found.get_command_obj("build_py")
build.ensure_finalized()
build.manifest_files = {}
print(*build.find_data_files("surefoot", "service/surefoot"), sep="\\n")
"""


def name_of(path: Path) -> str:
    return str(path.relative_to(WEB))


def test_there_is_something_to_check() -> None:
    assert len(SCRIPTS) > 20


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_a_file_is_small_and_its_lines_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= (200 if path.suffix == ".js" else 300)
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", ALL_SCRIPTS, ids=name_of)
def test_no_script_reads_a_text_as_html(path: Path) -> None:
    assert AS_HTML.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_nothing_of_ours_runs_texts_or_loads_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert AS_CODE.findall(text) == []
    assert ELSEWHERE.findall(text) == []


def test_every_script_is_loaded_at_once_and_none_is_left_over() -> None:
    """The page names its modules, so that a browser need not find them one behind another."""
    named = set(re.findall(r'"modulepreload" href="web/js/([\w.]+)"', (WEB / "index.html").read_text(encoding="utf-8")))
    imported = {
        name: set(re.findall(r'from "\./([\w.]+)"', (WEB / "js" / name).read_text(encoding="utf-8")))
        for name in (path.name for path in SCRIPTS)
    }

    def reached(start: str) -> set[str]:
        found, new = set(), {start}
        while new:
            found |= new
            new = set().union(*(imported[name] for name in new)) - found
        return found

    assert reached("main.js") - {"main.js"} == named
    assert reached("main.js") | reached("docs.js") == set(imported)


def test_the_wheel_holds_every_file() -> None:
    built = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    packed = {Path(line).resolve().relative_to(WEB) for line in built.splitlines() if "/api/web/" in line}
    assert packed == {path.relative_to(WEB) for path in WEB.rglob("*") if path.is_file()}


def test_other_projects_files_bring_their_licence() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for place in (WEB / "vendor").iterdir():
        assert (place / "LICENSE.txt").is_file()
        assert place.name.split("-")[0].lower() in notice.lower()
        assert place.name in (WEB / "js/math.js").read_text(encoding="utf-8")
