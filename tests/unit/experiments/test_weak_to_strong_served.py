"""A student is a model of the service: what was written of it is what is served, beside its supervisor."""

from pathlib import Path
from typing import Any

import pytest

from surefoot.domain import ScoreTask

CELLS = "cells/text/seed-0"


def tasks_of(experiment) -> tuple[list[ScoreTask], dict[str, list[float]]]:
    """The first test items as requests, and what supervisor and student were written to say of them."""
    texts = {}
    for number in range(120):
        texts[f"{number + 1}"] = f"{('red', 'blue')[number % 2]} {number // 2}"
    names = {"weak": "supervisor-1", "student": "student-1-3-naive", "probe": "student-1-3-probe"}
    rows = {name: experiment.rows(f"text/seed-0/{cell}")[:6] for name, cell in names.items()}
    tasks = [ScoreTask("Is it so?", steps=(texts[row["id"]],)) for row in rows["weak"]]
    return tasks, {name: [row["last"] for row in some] for name, some in rows.items()}


def settings_of(directory: Path, cell: str) -> dict[str, Any]:
    model = directory / CELLS / cell / "model"
    return {"profile": str(model / "profile.toml"), "adapter": str(model)}


async def scores(served, tasks: list[ScoreTask]) -> list[float]:
    return [solution.steps[0].score for solution in await served.scores("judge", tasks)]


async def test_a_student_is_served_with_the_probabilities_that_were_written(experiment, serve) -> None:
    tasks, written = tasks_of(experiment)
    student = settings_of(experiment.directory, "student-1-3-naive")
    base = experiment.words[1]
    served = await serve({"judge": (student["profile"], base, {"adapter": student["adapter"]})})
    assert await scores(served, tasks) == pytest.approx(written["student"], abs=1e-5)


async def test_a_probe_is_served_as_a_checkpoint(experiment, serve) -> None:
    tasks, written = tasks_of(experiment)
    model = experiment.directory / CELLS / "student-1-3-probe/model"
    served = await serve({"judge": (str(model / "profile.toml"), model)})
    assert await scores(served, tasks) == pytest.approx(written["probe"], abs=1e-5)
    assert (model / "model.safetensors").is_symlink(), "the weights are not copied"


async def test_a_student_is_shadowed_against_its_teacher_and_promoted(experiment, serve) -> None:
    tasks, written = tasks_of(experiment)
    teacher = settings_of(experiment.directory, "supervisor-1")
    student = settings_of(experiment.directory, "student-1-3-naive")
    candidate = {"label": "student", "path": experiment.words[1], **student}
    weak_base = experiment.directory / "bases/text/1"
    served = await serve(
        {"judge": (teacher["profile"], weak_base, {"adapter": teacher["adapter"], "candidates": [candidate]})}
    )
    assert await scores(served, tasks) == pytest.approx(written["weak"], abs=1e-5)
    await served.succession.load("judge", "student")
    served.succession.shadow("judge", 1.0)
    await scores(served, tasks)
    summary = await compared(served)
    alike = [(a >= 0.5) == (b >= 0.5) for a, b in zip(written["weak"], written["student"], strict=True)]
    assert (summary.num_scores, summary.alike) == (len(tasks), sum(alike))
    served.succession.promote("judge")
    assert await scores(served, tasks) == pytest.approx(written["student"], abs=1e-5)


async def compared(served) -> Any:
    import asyncio

    for _ in range(500):
        shadow = served.succession.standing("judge").place.shadow
        if shadow is not None and shadow.summary.compared:
            return shadow.summary
        await asyncio.sleep(0.01)
    raise AssertionError("nothing was compared")
