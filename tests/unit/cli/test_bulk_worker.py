"""A worker of a bulk run, and the options that choose one: the real line over the fakes, no Ray."""

import json
from functools import partial

import pytest

from surefoot.cli import bulk_engine
from surefoot.cli.bulk_worker import BulkWorker, Stopped, WorkerPlan, described
from surefoot.cli.jsonl_run import read_lines
from surefoot.cli.score import SCORE_ROW, prepared_scoring
from surefoot.errors import CheckpointMissing, NotReady
from surefoot.settings import Settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service

LINES = [json.dumps({"problem": "p", "steps": [str(number)]}).encode() + b"\n" for number in range(5)]


def plan(model: str | None = None, **parts) -> WorkerPlan:
    prepare = partial(prepared_scoring, options={"model": model}, priority="bulk")
    return WorkerPlan(Settings(), lambda _: build_fake_service(FakeParts(**parts)).service, prepare, SCORE_ROW, 2)


@pytest.fixture
def worker():
    made = []

    def make(*arguments, **options) -> BulkWorker:
        made.append(BulkWorker(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_worker_answers_every_line_bad_ones_in_their_place(worker) -> None:
    options = json.dumps(described(plan()), sort_keys=True)
    answer = worker(plan()).answer(list(read_lines([*LINES, b"{\n"], options)))
    assert [row.number for row in answer] == [1, 2, 3, 4, 5, 6]
    assert [row.failure and row.failure.code for row in answer] == [None] * 5 + ["invalid_json"]


def test_a_worker_with_other_models_than_the_first_answers_nothing(worker) -> None:
    answer = worker(plan(), {**described(plan()), "fingerprints": ["other"]}).answer(list(read_lines(LINES, "")))
    assert isinstance(answer, Stopped)
    assert (answer.code, "fingerprints" in answer.message) == ("workers_differ", True)


def test_what_no_row_is_to_blame_for_stops_the_worker_in_words(worker) -> None:
    answer = worker(plan(model="none")).answer(list(read_lines(LINES, "")))
    assert isinstance(answer, Stopped)
    assert answer.code == "model_not_found"


def test_a_model_that_cannot_load_is_said_by_the_first_worker() -> None:
    with pytest.raises(NotReady, match="there is none"):
        described(plan(broken={"prm": CheckpointMissing("there is none")}))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workers", "2"],
        ["--ray-address", "auto"],
        ["--window", "9"],
        ["--engine", "spark"],
        ["--engine", "ray", "--url", "http://127.0.0.1:1"],
        ["--engine", "ray", "--ray-address", "ray://127.0.0.1:1"],
        ["--engine", "ray", "--workers", "0"],
    ],
)
def test_options_that_do_not_go_together_start_nothing(program, written, tmp_path, arguments) -> None:
    assert program("score", written("in.jsonl"), "-o", tmp_path / "out.jsonl", *arguments).exit_code == 2


def test_a_missing_library_is_said_with_the_extra_that_brings_it(program, written, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bulk_engine, "find_spec", lambda _: None)
    ended = program("score", written("in.jsonl"), "-o", tmp_path / "out.jsonl", "--engine", "ray")
    assert ended.exit_code == 1
    assert "[engine_missing]" in ended.stderr
    assert "surefoot[ray]" in ended.stderr
