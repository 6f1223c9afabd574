"""`surefoot train rollouts` over a fake service: its labels, resuming, and how it fails."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from surefoot.domain import Message, Prompt
from surefoot.sampling.fake_sampler import FakeSampler

ROW = {"problem": "What is 2 + 3 + 4?", "steps": ["2 + 3 = 5", "5 + 4 = 8", "The answer is 8."], "answer": "9"}
LABELLED = {**ROW, "labels": [1, 1, 0], "first_error": 2, "is_correct": False, "id": "a"}


class LostAfterTheSecondStep(FakeSampler):
    """Half of the completions of the first step are right, and none of later ones."""

    def __init__(self) -> None:
        super().__init__(["The answer is 9.", "The answer is 8."])

    def texts_for(self, prompt: Prompt) -> list[str]:
        return ["The answer is 8."] if "5 + 4 = 8" in prompt.beginning else ["It is 9.", "It is 8."]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def sampler() -> FakeSampler:
    return LostAfterTheSecondStep()


@pytest.fixture
def label(program, sampler, written, output) -> Callable[..., Result]:
    def run(*options: str, rows: tuple[dict, ...] = (ROW, LABELLED), preface: tuple[Message, ...] = ()) -> Result:
        source = written("in.jsonl", *map(json.dumps, rows))
        return program.with_parts(sampler=sampler, preface=preface)(
            "train", "rollouts", source, "-o", output, "--k", "4", *options
        )

    return run


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_hard_and_soft_labels_are_in_the_row(label, output) -> None:
    ended = label()
    assert ended.exit_code == 0, ended.output
    for row in rows_of(output):
        assert (row["labels"], row["first_error"], row["soft_labels"]) == ([1, 0, None], 1, [0.5, 0.0, None])


def test_what_else_was_known_of_a_row_is_kept(label, output) -> None:
    label()
    row = rows_of(output)[1]
    assert (row["id"], row["answer"], row["is_correct"], row["steps"]) == ("a", "9", False, ROW["steps"])


def test_every_step_can_be_asked_for(label, output) -> None:
    label("--every-step", rows=(ROW,))
    assert rows_of(output)[0]["soft_labels"] == [0.5, 0.0, 0.0]


def test_each_prefix_is_completed_k_times(label, sampler) -> None:
    label(rows=(ROW,))
    assert [options.n for options in sampler.options[1:]] == [4, 4]


def test_the_problem_stands_after_the_generators_preface(label, sampler) -> None:
    label(rows=(ROW,), preface=(Message("system", "Short!"),))
    assert "".join(map(chr, sampler.prompts[1])) == f"Short!{ROW['problem']}2 + 3 = 5\n"


def test_an_interrupted_run_goes_on_and_ends_the_same(label, sampler, output) -> None:
    label()
    whole = output.read_bytes()
    drawn = output.with_suffix(".drawn.jsonl")
    drawn.write_bytes(drawn.read_bytes().splitlines(keepends=True)[0])
    before = len(sampler.prompts)
    assert json.loads(label("--json").stdout)["resumed"] == 1
    assert len(sampler.prompts) == before + 3
    assert output.read_bytes() == whole


def test_the_summary_counts_errors(label) -> None:
    summary = json.loads(label("--json").stdout)
    assert (summary["rows_written"], summary["with_an_error"]) == (2, 2)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({**ROW, "answer": " "}, "answer must be a text that is not blank"),
        ({"problem": "p", "steps": ["a"]}, "answer must be a text that is not blank"),
        ({"problem": "p", "answer": "9"}, "steps must be a list"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_labelled(label, output, row: dict, message: str) -> None:
    ended = label("--json", rows=(ROW, row))
    summary = json.loads(ended.stdout)
    assert ended.exit_code == 1
    (failure,) = summary["first_failures"]
    assert (failure["line"], len(rows_of(output))) == (2, 1)
    assert message in failure["message"]


def test_labels_can_be_trained_on(label, output) -> None:
    from surefoot.training.labelled_row import rows_from

    label(rows=(ROW,))
    (row,) = rows_from(rows_of(output), "rollouts")
    assert (row.first_error, row.soft_labels) == (1, (0.5, 0.0, None))
