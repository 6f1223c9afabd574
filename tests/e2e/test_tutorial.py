"""What docs/tutorial.md says comes back does, within what bf16 and fp32 differ by."""

import json
import re
from pathlib import Path

import pytest

from surefoot_client import SurefootClient

TUTORIAL = (Path(__file__).parents[2] / "docs/tutorial.md").read_text(encoding="utf-8")
REQUEST = re.compile(r"^curl -sSf http://127.0.0.1:8080/score .*? -d '(.*?)'$", re.DOTALL | re.MULTILINE)
TOLD = re.compile(r'^   \{"index": (\d), "span": (\[\d+, \d+\]), "score": ([\d.]+)', re.MULTILINE)


def test_the_scores_that_are_shown_are_those_that_come_back(client: SurefootClient) -> None:
    asked = json.loads(REQUEST.findall(TUTORIAL)[0])
    [result] = client.score([asked]).raise_for_failures()
    told = TOLD.findall(TUTORIAL)
    assert [(str(step.index), json.dumps(list(step.span or ()))) for step in result.steps] == [row[:2] for row in told]
    assert [step.score for step in result.steps] == pytest.approx([float(row[2]) for row in told], abs=0.02)
    assert f'"first_error": {result.first_error}' in TUTORIAL


def test_of_the_wrong_step_it_thinks_well_and_the_check_does_not(client: SurefootClient) -> None:
    asked = json.loads(REQUEST.findall(TUTORIAL)[1])
    checks = asked.pop("checks")
    [result] = client.score([asked], checks=checks).raise_for_failures()
    assert result.steps[1].score == pytest.approx(0.832, abs=0.02)
    assert [check.verdict for step in result.steps for check in step.checks] == ["pass", "fail", "nothing_to_check"]
