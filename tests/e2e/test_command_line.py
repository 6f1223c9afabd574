"""The command line against the running server."""

import json
import subprocess
import sys

PROBLEM = "A farmer has 3 baskets with 12 apples each. He sells 10 apples. How many apples does he have left?"


def surefoot(*arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "surefoot", *arguments], capture_output=True, text=True, timeout=240, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_solve_prints_steps_the_pick_and_why(server) -> None:
    shown = surefoot("solve", PROBLEM, "-n", "3", "--max-tokens", "48", "--seed", "1", "--url", server.url)
    assert "◀ pick" in shown
    assert "Pick candidate" in shown
    assert "untrained" in shown
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
    assert "untrained" in shown


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
