"""The house stays easy to see: sizes, names, and a test beside every room. Import rules are import-linter's."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "service").rglob("*.py"), *(ROOT / "clients/python/src").rglob("*.py")])
FORBIDDEN_NAMES = {"utils", "util", "common_utils", "helpers", "misc"}
LIBRARIES = {"torch", "transformers", "vllm", "fastapi", "pydantic", "httpx", "prometheus_client", "typer", "rich"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_function_fits_a_screen(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    too_long = {
        node.name: node.end_lineno - node.lineno + 1 for node in functions if node.end_lineno - node.lineno >= 50
    }
    assert too_long == {}


def test_no_room_is_a_lumber_room_or_named_like_a_library() -> None:
    names = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
    assert names & (FORBIDDEN_NAMES | LIBRARIES) == set()


def test_only_settings_reads_the_environment() -> None:
    """vLLM and the hub library read theirs: two rooms set what those will see, and read nothing. The client, which has
    no settings, reads its key."""
    of_client = "clients/python/src/surefoot_client/environment.py"
    reading = [
        name_of(path)
        for path in SOURCES
        if any(
            word in path.read_text(encoding="utf-8")
            for word in ("os.environ[", "os.environ.get", "os.getenv", "getenv(")
        )
    ]
    assert of_client in reading
    assert {Path(name).parent.as_posix() for name in set(reading) - {of_client}} == {"service/surefoot/settings"}


def test_every_room_has_its_unit_tests() -> None:
    rooms = {
        path.name for path in (ROOT / "service/surefoot").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    # The API is tested through its routes, the command line against a real server; its runs over files in unit/cli.
    tested_elsewhere = {"api": ROOT / "tests/api", "cli": ROOT / "tests/e2e"}
    for room in sorted(rooms):
        home = tested_elsewhere.get(room, ROOT / "tests/unit" / room)
        assert list(home.rglob("test_*.py")), room
