"""What `surefoot evaluate calibration` leaves: its files, and a table on the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from surefoot.evaluation.calibration import Calibration
from surefoot.evaluation.calibration_report import ROWS, profile_toml, report_json, report_markdown
from surefoot.evaluation.pictures import can_draw, picture_paths
from surefoot.evaluation.reliability_diagram import draw_reliability

_PICTURE = "reliability"


def write_calibration(
    directory: Path, calibration: Calibration, facts: Mapping[str, Any], command: str
) -> dict[str, Path]:
    """Write profile, report and, with matplotlib, the diagram; by name, in the order they are told of."""
    directory.mkdir(parents=True, exist_ok=True)
    pictures = picture_paths(directory, _PICTURE) if can_draw() else []
    texts = {
        "profile.toml": profile_toml(calibration.profile, command),
        "report.md": report_markdown(calibration, facts, pictures[0].name if pictures else None),
        "report.json": json.dumps(report_json(calibration, facts), indent=2, ensure_ascii=False) + "\n",
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    if pictures:
        title = f"{calibration.profile.title}: {calibration.held_out.after.num_steps} held-out steps"
        draw_reliability(calibration.held_out, title, pictures)
    return {path.name: path for path in [*(directory / name for name in texts), *pictures]}


def show_calibration(calibration: Calibration, files: Mapping[str, Path], console: Console) -> None:
    """The held-out measures before and after, what to know of them, and where the files are."""
    held_out = calibration.held_out
    table = Table(
        f"{held_out.after.num_steps} steps of {held_out.after.num_solutions} held-out solutions",
        box=None,
        pad_edge=False,
    )
    table.add_column("before", justify="right")
    table.add_column("after", justify="right", style="bold")
    for name, value, write in ROWS:
        table.add_row(name, write(value(held_out.before)), write(value(held_out.after)))
    console.print(table, soft_wrap=False)
    for notice in calibration.notices:
        console.print(notice, style="yellow", markup=False)
    for path in files.values():
        console.print(f"wrote {path}", markup=False)
    if f"{_PICTURE}.png" not in files:
        console.print("no diagram: matplotlib is not installed, pip install 'surefoot[plots]' brings it", markup=False)
