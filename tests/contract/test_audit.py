"""`.ci/audit` says that it was done only where it was: with pip-audit itself played by a script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOUND = 'echo "Found 1 known vulnerability in 1 package"; exit 1'
NOTHING = 'echo "No known vulnerabilities found"; exit 0'
NO_NETWORK = 'echo "ERROR:pip_audit._cli: connection refused"; exit 1'


@pytest.fixture
def audit(tmp_path):
    """Runs it where pip-audit answers so to the package that is known to be vulnerable, and so to the environment."""
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)

    def run(to_the_known_one: str, to_ours: str, *arguments: str, venv: Path = environment):
        tool = tmp_path / "pip-audit"
        tool.write_text(f'#!/bin/sh\ncase "$*" in *--requirement*) {to_the_known_one};; *) {to_ours};; esac\n')
        tool.chmod(0o755)
        given = {**os.environ, "PIP_AUDIT": str(tool), "VENV": str(venv)}
        done = subprocess.run(
            [ROOT / ".ci/audit", *arguments], env=given, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_nothing_found_is_said(audit) -> None:
    status, said = audit(FOUND, NOTHING)
    assert (status, "audit: done, no known vulnerability" in said) == (0, True)


def test_a_vulnerability_fails(audit) -> None:
    status, said = audit(FOUND, FOUND)
    assert (status, "Found 1 known vulnerability" in said) == (1, True)


@pytest.mark.parametrize(
    ("known", "ours"),
    [(NOTHING, NOTHING), (NO_NETWORK, NO_NETWORK), (FOUND, NO_NETWORK)],
    ids=["index that knows none", "no network", "network lost"],
)
@pytest.mark.parametrize(("arguments", "expected"), [((), 0), (("--required",), 2)])
def test_where_nobody_can_be_asked_it_is_not_done(audit, known, ours, arguments, expected) -> None:
    status, said = audit(known, ours, *arguments)
    assert (status, "audit: NOT DONE" in said, "audit: done" in said) == (expected, True, False)


def test_without_an_environment_it_is_not_done(audit, tmp_path) -> None:
    status, said = audit(FOUND, NOTHING, venv=tmp_path / "nowhere")
    assert (status, "make setup" in said) == (0, True)


def test_an_unknown_option_is_refused(audit) -> None:
    assert audit(FOUND, NOTHING, "--hard")[0] == 64
