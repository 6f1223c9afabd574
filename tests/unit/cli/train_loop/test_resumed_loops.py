"""A loop that was killed goes on to the same end, and another one is not gone on with."""

import asyncio
import json
import signal
from typing import Any

import pytest

from loop_rows import contents


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("place", ["surefoot.cli.loop_stages.score_rows", "surefoot.cli.loop_stages.rollout_labels"])
def test_a_loop_killed_while_a_model_is_asked_goes_on_to_the_same_end(loop, tmp_path, file, monkeypatch, place) -> None:
    problems = [{"problem": f"What is 2 + 3, the {number}th time?", "answer": "5"} for number in range(20)]
    source = ("--problems", file("problems.jsonl", problems), "--labeller", "rollouts", "-k", "2")
    module, _, name = place.rpartition(".")
    asked = getattr(__import__(module, fromlist=[name]), name)
    calls = []

    async def interrupt(*given: Any, **options: Any) -> Any:
        calls.append(given)
        if len(calls) == (2 if "score" in place else 10):
            # As Ctrl-C comes: an exception raised here would leave the event loop's threads behind.
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        return await asked(*given, **options)

    options = ("-n", "3", "--labels", "10")
    with monkeypatch.context() as patch:
        patch.setattr(place, interrupt)
        assert loop("broken", *options, source=source).exit_code == 130
    assert loop("broken", *options, "--resume", source=source).exit_code == 0
    assert loop("whole", *options, source=source).exit_code == 0
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_a_loop_killed_while_training_goes_on_to_the_same_end(loop, tmp_path, interrupted_training) -> None:
    with interrupted_training() as losses:
        ended = loop("broken", "--labels", "8")
        assert (ended.exit_code, len(losses)) == (130, 2)
        assert "--resume goes on" in ended.stderr
    assert loop("broken", "--labels", "8", "--resume").exit_code == 0
    assert loop("whole", "--labels", "8").exit_code == 0
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")


def test_more_rounds_go_on_from_a_finished_loop(loop, tmp_path) -> None:
    loop("more", "--rounds", "1")
    assert loop("more", "--resume").exit_code == 0
    loop("whole")
    assert contents(tmp_path / "more") == contents(tmp_path / "whole")


def test_another_loop_is_not_gone_on_with(loop) -> None:
    loop("out", "--rounds", "1")
    ended = loop("out", "--resume", "--labels", "5", "--json")
    error = json.loads(ended.stdout)["error"]
    assert (ended.exit_code, error["code"]) == (1, "run_mismatch")
    assert "other options" in error["message"]


def test_a_loop_is_not_begun_again_without_being_asked(loop) -> None:
    loop("out", "--rounds", "1")
    assert loop("out").exit_code == 2
    assert loop("out", "--overwrite", "--labels", "5").exit_code == 0
