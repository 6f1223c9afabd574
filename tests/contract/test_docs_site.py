"""The documentation as it is built: every link leads somewhere, every page is in the navigation, nothing is fetched."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc=["'](?:https?:)?//|<link\b[^>]*\bhref=["'](?:https?:)?//"""
)
IN_STYLES = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])(?:https?:)?//""")


def built(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-c", str(ROOT / "docs")]
    return subprocess.run([*command, str(source), str(out)], capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    ended = built(ROOT, out)
    assert ended.returncode == 0, ended.stderr
    return out


def test_every_page_is_built(site) -> None:
    pages = {path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert [page for page in sorted(pages) if not (site / page).is_file()] == []


def test_nothing_comes_from_elsewhere(site) -> None:
    fetching = [path.name for path in site.rglob("*.html") if FETCHED.search(path.read_text(encoding="utf-8"))]
    styled = [path.name for path in site.rglob("*.css") if IN_STYLES.search(path.read_text(encoding="utf-8"))]
    assert (fetching, styled) == ([], [])


def test_the_first_page_leads_to_the_documentation(site) -> None:
    assert 'href="docs/index.html"' in (site / "index.html").read_text(encoding="utf-8")


def test_a_broken_link_would_fail(tmp_path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "index.md").write_text("# A page\n\n[to nowhere](absent.md)\n", encoding="utf-8")
    ended = built(tmp_path, tmp_path / "out")
    assert ended.returncode != 0
    assert "absent.md" in ended.stderr
