"""The whole experiment on tiny models: it can be worked out again, goes on, and is refused where it must."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCHEMES = ("naive", "confidence", "bootstrap", "probe", "language")


def accuracy(rows: list[dict], pick: str = "last") -> float:
    return sum((row[pick] >= 0.5) == row["label"] for row in rows) / len(rows)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_gap_recovered_follows_from_the_written_predictions(experiment, scheme: str) -> None:
    [told] = [each for each in experiment.report["results"] if each["scheme"] == scheme]
    expected = []
    for seed in (0, 1):
        cells = [f"text/seed-{seed}/{name}" for name in ("supervisor-1", f"student-1-3-{scheme}", "ceiling-3")]
        weak, student, ceiling = (accuracy(experiment.rows(cell)) for cell in cells)
        expected.append((student - weak) / (ceiling - weak) if ceiling > weak else None)
        assert experiment.rows(cells[0]) != experiment.rows(cells[1])
    assert told["pgr_by_seed"] == pytest.approx(expected)
    assert told["seeds"] == [0, 1]


def test_agreement_follows_from_the_written_predictions(experiment) -> None:
    [told] = [each for each in experiment.report["results"] if each["scheme"] == "naive"]
    shares = []
    for seed in (0, 1):
        weak, student = (
            [row["last"] >= 0.5 for row in experiment.rows(f"text/seed-{seed}/{cell}")]
            for cell in ("supervisor-1", "student-1-3-naive")
        )
        shares.append(sum(map(bool.__eq__, weak, student)) / len(weak))
    assert told["agreement"] == pytest.approx(sum(shares) / 2)


def test_the_truth_is_learned_and_the_supervisor_labels_what_it_never_saw(experiment) -> None:
    assert accuracy(experiment.rows("text/seed-0/ceiling-3")) >= 0.8
    tested = {row["id"] for row in experiment.rows("text/seed-0/supervisor-1")}
    labelled = {row["id"] for row in experiment.rows("text/seed-0/supervisor-1", "labels.jsonl")}
    assert len(labelled) == 24 + 8
    assert not labelled & tested


def test_a_chain_learns_the_labels_of_the_size_before(experiment) -> None:
    cell = experiment.directory / "cells/text/seed-0/student-1-3-bootstrap/record.json"
    facts = json.loads(cell.read_text(encoding="utf-8"))["facts"]
    assert facts["labels_of"] == "text/seed-0/intermediate-1-3-bootstrap-2"


def test_the_report_says_what_was_found_and_shows_it(experiment) -> None:
    page = (experiment.directory / "report.md").read_text(encoding="utf-8")
    for part in ("## Which of the paper's findings appear", "## text", "1 → 3, confidence", "16 of 16 trainings"):
        assert part in page
    for name in ("accuracy", "pgr", "imitation", "curves", "calibration"):
        assert f"]({name}.png)" in page
        assert (experiment.directory / f"{name}.svg").stat().st_size > 1000
    assert str(experiment.directory.parent) not in page


def test_what_is_finished_is_not_run_again(experiment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(experiment.directory, run, symlinks=True)
    shutil.rmtree(run / "cells/text/seed-1/student-1-3-naive")
    ended = experiment.again(run)
    assert ended.exit_code == 0, ended.output
    assert ended.stderr.count("training 1") == 1
    assert "training 16 of 16: text/seed-1/student-1-3-naive" in ended.stderr
    for cell in ("predictions.jsonl", "model/adapter_model.safetensors"):
        name = f"cells/text/seed-1/student-1-3-naive/{cell}"
        assert (run / name).read_bytes() == (experiment.directory / name).read_bytes()


@pytest.mark.parametrize(("option", "name"), [(("--epochs", "4"), "epochs"), (("--train", "20"), "sizes")])
def test_a_run_with_other_options_is_refused(experiment, option: tuple[str, str], name: str) -> None:
    ended = experiment.again(experiment.directory, *option)
    assert ended.exit_code == 1
    assert f"[run_mismatch] the run in {experiment.directory} was begun with another {name}" in ended.stderr


def test_other_texts_are_refused(experiment, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(f'{{"text": "t {n}", "label": {n % 2}}}\n' for n in range(120)), encoding="utf-8")
    words = [word if not word.startswith("text=") else f"text={texts}" for word in experiment.words]
    experiment.words, before = words, experiment.words
    ended = experiment.again(experiment.directory)
    experiment.words = before
    assert ended.exit_code == 1
    assert "[run_mismatch]" in ended.stderr
    assert "items of text" in ended.stderr


def test_labels_of_other_items_are_refused(experiment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(experiment.directory, run, symlinks=True)
    shutil.rmtree(run / "cells/text/seed-0/student-1-3-naive")
    labels = run / "cells/text/seed-0/supervisor-1/labels.jsonl"
    kept = labels.read_text(encoding="utf-8").splitlines()[1:]
    labels.write_text("\n".join([*kept, '{"id": "none", "probability": 0.5}']), encoding="utf-8")
    ended = experiment.again(run)
    assert ended.exit_code == 1
    assert "[examples_invalid]" in ended.stderr
    assert "1 of 32 have no label in it, and 1 labels are of others" in ended.stderr
    labels.write_text("\n".join([*kept, kept[0].replace("0.", "7.")]), encoding="utf-8")
    assert experiment.again(run).exit_code == 1


def test_a_killed_run_goes_on_to_the_same_results(experiment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["-m", "surefoot", "train", "weak-to-strong", "-o", run, *experiment.words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUREFOOT_")}
    with subprocess.Popen(
        [sys.executable, *words],
        env=environment | experiment.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        first = run / "cells/text/seed-0/supervisor-1/record.json"
        end = time.monotonic() + 120
        while not first.is_file() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it was still running"
    written = first.stat().st_mtime_ns
    ended = experiment.again(run)
    assert ended.exit_code == 0, ended.output
    assert first.stat().st_mtime_ns == written
    assert json.loads((run / "report.json").read_text(encoding="utf-8"))["results"] == experiment.report["results"]
    assert not list((run / "cells").rglob(".*.part"))


def test_what_cannot_be_run_is_told_before_anything_is(experiment, tmp_path: Path) -> None:
    for options, told in {
        ("--pairs", "3:1"): "fewer layers",
        ("--pairs", "1:9"): "there is no variant of 9",
        ("--tasks", "chess"): "chess: there are",
        ("--tasks", "text"): "text needs a file",
        ("--schemes", "wish"): "wish: there are",
        ("--train", "5000"): "are too few",
    }.items():
        ended = experiment.again(tmp_path / "run", *options)
        assert ended.exit_code in (1, 2), ended.output
        assert told in " ".join(ended.stderr.replace("│", " ").split()), ended.stderr
