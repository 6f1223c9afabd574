"""What requests leave in the metrics: qualities of rewards, refusals and the time before the queue."""

import re
from collections.abc import Awaitable, Callable

import pytest

from surefoot.scheduling.limits import SchedulerLimits

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5", "The answer is 5."]}
OTHER = {"problem": "2 + 3?", "steps": ["The answer is 6."]}
CANDIDATES = ["2 + 3 = 5.\nThe answer is 5.", "The answer is 6.", "Together 5.\nThe answer is 5.0."]

Counted = Callable[..., Awaitable[float]]


@pytest.fixture
def counted(api) -> Counted:
    return lambda name, **labels: count(api, name, **labels)


async def count(api, name: str, **labels: str) -> float:
    """The value of one series; 0 where there is none."""
    text = (await api.http.get("/metrics")).text
    wanted = "".join(rf'(?=.*\b{label}="{re.escape(value)}")' for label, value in labels.items())
    found = re.findall(rf"^surefoot_{name}\{{{wanted}[^}}]*\}} ([0-9.e+-]+)$", text, re.MULTILINE)
    return sum(map(float, found))


async def test_a_score_leaves_its_steps_and_its_solution(api, counted) -> None:
    await api.post("/score", ITEM)
    assert await counted("step_score_count", model="prm") == 2
    assert await counted("solution_score_count", model="prm") == 1


async def test_items_of_one_problem_are_a_group(api, counted) -> None:
    await api.post("/score", {"items": [ITEM, OTHER, ITEM | {"problem": "Another?"}]})
    assert await counted("group_score_variance_count", model="prm") == 1


async def test_a_failed_item_is_no_score(api, counted) -> None:
    await api.post("/score", {"items": [ITEM, {"problem": "", "steps": ["a"]}]})
    assert await counted("solution_score_count", model="prm") == 1


async def test_candidates_of_a_ranking_are_a_group(api, counted) -> None:
    await api.post("/rerank", {"problem": "2 + 3?", "candidates": CANDIDATES})
    assert await counted("group_score_variance_count", model="prm") == 1


async def test_candidates_scored_as_they_finish_are_one_group(api, counted) -> None:
    await api.post("/best_of_n", {"problem": "2 + 3?", "sampling": {"n": 3}})
    assert await counted("solution_score_count", model="prm") == 3
    assert await counted("group_score_variance_count", model="prm") == 1


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/rerank", {"candidates": CANDIDATES, "strategy": "process_outcome"}),
        ("/rerank", {"candidates": CANDIDATES, "strategy": "majority", "model": "prm", "outcome_model": "orm"}),
        ("/best_of_n", {"sampling": {"n": 3}, "ranking": {"strategy": "process_outcome"}}),
    ],
)
async def test_both_models_scores_are_compared_once(api, counted, path, fields) -> None:
    await api.post(path, {"problem": "2 + 3?", **fields})
    assert await counted("compared_groups_total", process="prm", outcome="orm") == 1


async def test_one_model_alone_agrees_with_nobody(api, counted) -> None:
    await api.post("/rerank", {"problem": "2 + 3?", "candidates": CANDIDATES})
    assert await counted("compared_groups_total") == 0


async def test_tokenising_is_timed_once_a_request(api, counted) -> None:
    await api.post("/score", {"items": [ITEM, OTHER]})
    assert await counted("tokenise_seconds_count", model="prm") == 1


async def test_a_refused_group_is_counted_by_its_reason(serve) -> None:
    api = await serve(queue=SchedulerLimits(max_queue_items=1))
    await api.refused("/score", {"items": [ITEM, OTHER]}, 413)
    assert await count(api, "admission_refusals_total", backend="fake", reason="group_too_large") == 1


async def test_probes_of_the_start_are_no_rewards(serve) -> None:
    api = await serve(proves=True)
    assert await count(api, "solution_score_count") == 0
    await api.post("/score", ITEM)
    assert await count(api, "solution_score_count", model="prm") == 1


async def test_models_show_their_state(serve) -> None:
    api = await serve(loads=False)
    assert await count(api, "model_state", model="prm", state="loading") == 1


async def test_no_text_of_a_caller_becomes_a_label(api) -> None:
    secret = "zebra"
    await api.post("/score", {"problem": secret, "steps": [secret], "id": secret})
    await api.http.get(f"/{secret}", headers={"authorization": f"Bearer {secret}", "x-request-id": secret})
    await api.http.post("/score", json={"problem": secret, "steps": [secret], "model": secret})
    assert secret not in (await api.http.get("/metrics")).text
