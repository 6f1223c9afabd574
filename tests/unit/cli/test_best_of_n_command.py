"""`surefoot best-of-n` over a fake service: the run over a file is that of `score`, the work is `/best_of_n`."""

import json

import pytest

from surefoot.cli.service import Patience
from surefoot.sampling.fake_sampler import FakeSampler

PROBLEMS = [json.dumps({"problem": f"What is {number}+3?", "id": number}) for number in range(5)]


def rows_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out.jsonl"


def test_every_problem_gets_its_pick(program, written, output) -> None:
    ended = program("best-of-n", written("in.jsonl", *PROBLEMS), "-o", output, "-n", "3", "--seed", "1")
    assert ended.exit_code == 0, ended.output
    rows = rows_of(output)
    assert [row["id"] for row in rows] == list(range(5))
    for row in rows:
        assert row["result"]["text"] == row["result"]["candidates"][row["result"]["best"]]["text"]
        assert len(row["result"]["candidates"]) == 3


def test_the_strategy_is_the_one_asked_for(program, written, output) -> None:
    program("best-of-n", written("in.jsonl", *PROBLEMS), "-o", output, "-n", "3", "--strategy", "majority")
    assert {row["result"]["ranking"]["strategy"] for row in rows_of(output)} == {"majority"}


def test_a_conversation_is_solved(program, written, output) -> None:
    row = json.dumps({"messages": [{"role": "user", "content": "What is 2+3?"}]})
    assert program("best-of-n", written("in.jsonl", row), "-o", output, "-n", "2").exit_code == 0
    assert "result" in rows_of(output)[0]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "invalid_json"),
        ("{}", "invalid_row"),
        ('{"problem": ""}', "invalid_row"),
        ('{"problem": "p", "messages": []}', "invalid_row"),
        ('{"messages": []}', "invalid_row"),
        ('{"messages": [{"role": "assistant", "content": "a"}]}', "invalid_row"),
    ],
)
def test_a_bad_row_fails_alone(program, written, output, line, code) -> None:
    ended = program("best-of-n", written("in.jsonl", PROBLEMS[0], line, PROBLEMS[1]), "-o", output, "-n", "2")
    assert ended.exit_code == 1
    assert [row.get("error", {}).get("code") for row in rows_of(output)] == [None, code, None]


def test_a_cut_file_is_finished_without_sampling_again_what_is_there(program, written, output) -> None:
    source = written("in.jsonl", *PROBLEMS)
    program("best-of-n", source, "-o", output, "-n", "2", "--seed", "1")
    kept = output.read_bytes().splitlines(keepends=True)[:3]
    output.write_bytes(b"".join(kept) + b'{"line": 4, "di')
    ended = program("best-of-n", source, "-o", output, "-n", "2", "--seed", "1", "--json")
    assert json.loads(ended.stdout)["resumed"] == 3
    assert output.read_bytes().startswith(b"".join(kept))
    assert [row["line"] for row in rows_of(output)] == [1, 2, 3, 4, 5]


def test_another_number_of_candidates_does_not_continue_a_file(program, written, output) -> None:
    source = written("in.jsonl", *PROBLEMS)
    program("best-of-n", source, "-o", output, "-n", "2")
    assert program("best-of-n", source, "-o", output, "-n", "3").exit_code == 2


def test_the_output_of_score_is_not_continued(program, written, output) -> None:
    source = written("in.jsonl", json.dumps({"problem": "p", "solution": "a"}))
    program("score", source, "-o", output)
    assert program("best-of-n", source, "-o", output).exit_code == 2


def test_a_sampler_that_is_down_ends_the_run_and_keeps_it_resumable(program, written, output, monkeypatch) -> None:
    monkeypatch.setattr("surefoot.cli.best_of_n.FOR_FILES", Patience(max_retries=0))
    sampler = FakeSampler(["a"])
    sampler.fails_with = "down"
    ended = program.with_parts(sampler=sampler)("best-of-n", written("in.jsonl", *PROBLEMS), "-o", output)
    assert ended.exit_code == 1
    assert "sampler_unavailable" in ended.stderr
    assert output.read_bytes() == b""
