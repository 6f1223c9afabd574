"""People get solutions, and the loop goes on with what they labelled."""

import json
from pathlib import Path

import pytest

from loop_rows import lines_of


@pytest.fixture
def handed_off(loop, tmp_path) -> Path:
    """The folder of a round that waits for people."""
    ended = loop("out", "--labeller", "hand-off")
    assert ended.exit_code == 0, ended.output
    assert "--resume goes on" in " ".join(ended.stdout.split())
    return tmp_path / "out/round-1"


def test_people_get_solutions_and_instructions(handed_off) -> None:
    assert {path.name for path in handed_off.iterdir()} >= {"to_label.jsonl", "README.txt"}
    assert [each["labels"] for each in lines_of(handed_off / "to_label.jsonl")] == [[None, None]] * 4


def test_the_loop_goes_on_with_what_people_labelled(handed_off, loop, file) -> None:
    rows = [each | {"labels": [1, 0]} for each in lines_of(handed_off / "to_label.jsonl")]
    (handed_off / "labelled.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    ended = loop("out", "--labeller", "hand-off", "--resume", "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["waits_for_labels"].endswith("round-2")
    assert [each["first_error"] for each in lines_of(handed_off / "train.jsonl")] == [1] * 4


def test_bad_labels_of_people_hold_the_loop(handed_off, loop) -> None:
    rows = [each | {"labels": [1, 7]} for each in lines_of(handed_off / "to_label.jsonl")]
    (handed_off / "labelled.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    ended = loop("out", "--labeller", "hand-off", "--resume")
    assert ended.exit_code == 1
    assert "line 4: labels must hold" in ended.stderr
    assert not (handed_off / "train.jsonl").exists()
