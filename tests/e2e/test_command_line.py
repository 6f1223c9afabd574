"""The command line against the running server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROBLEM = "A farmer has 3 baskets with 12 apples each. He sells 10 apples. How many apples does he have left?"


def surefoot(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "surefoot", *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_solve_prints_steps_the_pick_and_why(server) -> None:
    shown = surefoot("solve", PROBLEM, "-n", "3", "--max-tokens", "48", "--seed", "1", "--url", server.url)
    kinds = [line.split("\t")[0] for line in shown.splitlines()]
    assert (kinds[0], kinds.count("candidate"), kinds.count("pick")) == ("problem", 3, 1)
    assert "step" in kinds
    assert "untrained" not in shown
    assert "\x1b[" not in shown  # no terminal, no colour codes


def test_solve_as_json_is_the_servers_answer(server) -> None:
    answer = json.loads(surefoot("solve", PROBLEM, "-n", "2", "--max-tokens", "24", "--json", "--url", server.url))
    assert len(answer["candidates"]) == 2
    assert answer["ranking"]["strategy"] == "process"


def test_models_lists_what_is_served(server) -> None:
    rows = json.loads(surefoot("models", "--url", server.url, "--json"))
    assert {row["id"] for row in rows} == {"prm", "orm", "prm-fp32"}


def test_models_lists_what_is_configured() -> None:
    shown = surefoot("models")
    assert "embedded-prm" in shown
    assert "untrained" not in shown


def test_a_base_without_its_adapter_says_that_it_is_untrained(tmp_path) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text('[[models]]\nname = "prm"\nprofile = "embedded-prm"\nadapter = "none"\n')
    assert "untrained" in surefoot("models", "-c", str(config))


def test_score_writes_a_row_for_each_line_the_bad_one_too(server, tmp_path) -> None:
    good = json.dumps({"problem": PROBLEM, "steps": ["3 times 12 is 36.", "36 - 10 = 26."], "id": "a"})
    (tmp_path / "in.jsonl").write_text(f"{good}\n{{\n{good}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "surefoot", "score", "in.jsonl", "-o", "out.jsonl", "--json", "--url", server.url],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        cwd=tmp_path,
    )
    assert ended.returncode == 1, ended.stderr
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row.get("error", {}).get("code") for row in rows] == [None, "invalid_json", None]
    assert rows[0]["result"] == rows[2]["result"]
    assert json.loads(ended.stdout)["failed_by_code"] == {"invalid_json": 1}


def test_a_failure_is_an_object_for_a_script() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "surefoot", "models", "--json", "--url", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["error"]["code"] == "connection_failed"
    assert ended.stderr.startswith("surefoot: [connection_failed] ")


COMPLETE = """
source "$HOME/.bashrc"
COMP_WORDS=(surefoot {word}); COMP_CWORD=1
complete -p surefoot > /dev/null
"$(complete -p surefoot | grep -o -- '-F [^ ]*' | cut -c 4-)" surefoot
echo "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(("word", "completed"), [("sc", "score"), ("be", "best-of-n"), ("xy", "")])
def test_bash_completes_verbs(tmp_path: Path, word: str, completed: str) -> None:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    # From a bash, as a person does: the program looks which shell it was called from.
    subprocess.run(
        ["bash", "--norc", "-c", "surefoot --install-completion; true"], env=environment, timeout=60, check=True
    )
    ended = subprocess.run(
        ["bash", "--norc", "-euc", COMPLETE.format(word=word)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == completed


def test_the_demo_as_json_times_every_step_and_stops_cleanly() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "surefoot", "demo", "-n", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        # Which engine samples is not what is asked here, and this one starts sooner.
        env={**os.environ, "SUREFOOT_GENERATOR__ENGINE": "transformers"},
    )
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(ended.stdout)
    assert list(shown["seconds"]) == ["prepare", "start", "solve", "stop"]
    assert len(shown["best_of_n"]["candidates"]) == 1
    assert "transformers as the sampler" in ended.stderr
