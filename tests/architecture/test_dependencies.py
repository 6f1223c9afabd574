"""What is installed beside the code: every requirement says how old it may be, and nothing comes from elsewhere."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LOWER_BOUNDS = {">=", "==", "~="}


def requirements() -> Iterator[str]:
    for file in (ROOT / "pyproject.toml", ROOT / "clients/python/pyproject.toml"):
        form = tomllib.loads(file.read_text(encoding="utf-8"))
        yield from form["build-system"]["requires"]
        yield from form["project"]["dependencies"]
        for extra in form["project"].get("optional-dependencies", {}).values():
            yield from extra


REQUIREMENTS = sorted(set(requirements()))


def test_there_is_something_to_check() -> None:
    assert {Requirement(text).name for text in REQUIREMENTS} >= {"torch", "httpx", "ruff", "setuptools"}


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_a_requirement_says_how_old_it_may_be(text: str) -> None:
    """A resolver may otherwise choose a release with holes that were closed years ago."""
    assert {bound.operator for bound in Requirement(text).specifier} & LOWER_BOUNDS, text


@pytest.mark.parametrize("text", REQUIREMENTS)
def test_a_requirement_comes_from_an_index(text: str) -> None:
    """What an address gives may change under its name."""
    assert Requirement(text).url is None


def test_overrides_only_leave_packages_out() -> None:
    lines = (ROOT / ".ci/cpu-overrides.txt").read_text(encoding="utf-8").splitlines()
    overrides = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert overrides
    assert [str(each) for each in overrides if each.marker is None or each.marker.evaluate()] == []
