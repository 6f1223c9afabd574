"""`surefoot evaluate` with a running server, and the calibrated profile as the service reads it."""

import json
import subprocess
import sys
from pathlib import Path

from surefoot.profiles import load_profile


def test_a_served_model_is_calibrated(server, tmp_path: Path) -> None:
    rows = [
        {"problem": f"What is {n} + 1?", "steps": [f"{n} + 1 = {n + 1 + n % 2}."], "first_error": [None, 0][n % 2]}
        for n in range(8)
    ]
    source = tmp_path / "steps.jsonl"
    source.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    command = [sys.executable, "-m", "surefoot", "evaluate", "calibration", str(source), "--out", str(tmp_path / "out")]
    ended = subprocess.run(
        [*command, "--url", server.url, "--name", "prm", "--json"], capture_output=True, text=True, timeout=240
    )
    assert ended.returncode == 0, ended.stderr
    profile = load_profile(str(tmp_path / "out/profile.toml"))
    assert profile.readout.temperature == json.loads(ended.stdout)["temperature"] != 1.0
