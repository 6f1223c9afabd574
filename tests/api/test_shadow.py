"""`/admin/models/{name}/shadow`: compared beside the answers, which stay as they are whatever the candidate does."""

import asyncio
import gc
import re
import weakref

import pytest

from surefoot.profiles import load_profile
from surefoot.scheduling.limits import SchedulerLimits

PRM = "/admin/models/prm"
ITEM = {"problem": "What is 2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}
CANDIDATES = {"problem": "What is 2 + 3?", "candidates": ["It is 5.", "It is 6.", "It is 7."]}
HEAD = "prm@v2"


@pytest.fixture
async def admin(serve):
    """prm with a candidate that is loaded; a bulk input waits 0.2 s at most."""
    api = await serve(
        admin_routes=True,
        candidates={"prm": {"v2": load_profile("embedded-prm")}},
        queue=SchedulerLimits(bulk_max_wait_s=0.2),
    )
    await api.post(f"{PRM}/candidate", {"label": "v2"})
    return api


async def share(api, value: float):
    return (await api.post(f"{PRM}/shadow", {"share": value}))["shadow"]


async def score(api):
    answer = await api.post("/score", {"items": [ITEM]})
    return {key: value for key, value in answer.items() if key in ("fingerprint", "results")}


def seen(api):
    return api.fake.service.succession.standing("prm").place.shadow.summary


async def settled(api, count: int) -> None:
    """Until so many groups are compared, dropped or failed."""
    await api.until(lambda: seen(api).compared + seen(api).dropped + seen(api).failed == count)


def metric(api, name: str) -> float:
    text = api.fake.telemetry.render().decode()
    [value] = re.findall(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(value)


async def test_answers_are_those_without_it(admin) -> None:
    before = await score(admin)
    await share(admin, 1)
    assert await score(admin) == before
    await settled(admin, 1)
    assert await score(admin) == before


async def test_the_candidate_scores_what_was_served(admin) -> None:
    await share(admin, 1)
    await score(admin)
    await settled(admin, 1)
    served, shadowed = (batch[0] for batch in admin.parts.backend.batches)
    assert (served.head, shadowed.head) == ("prm", HEAD)
    assert served.rendered == shadowed.rendered


async def test_the_differences_are_told(admin) -> None:
    served = (await score(admin))["results"][0]["steps"]
    await admin.post(f"{PRM}/promote", None)
    other = (await score(admin))["results"][0]["steps"]
    await admin.post(f"{PRM}/rollback", None)
    await share(admin, 1)
    await score(admin)
    await settled(admin, 1)
    differences = [abs(left["score"] - right["score"]) for left, right in zip(served, other, strict=True)]
    told = (await admin.get(PRM))["shadow"]
    assert (told["compared"], told["dropped"], told["failed"]) == (1, 0, 0)
    assert told["max_difference"] == pytest.approx(max(differences))
    assert told["mean_difference"] == pytest.approx(sum(differences) / 2)


async def test_the_bests_are_compared(admin) -> None:
    best = (await admin.post("/rerank", CANDIDATES))["best"]
    await admin.post(f"{PRM}/promote", None)
    other = (await admin.post("/rerank", CANDIDATES))["best"]
    await admin.post(f"{PRM}/rollback", None)
    await share(admin, 1)
    await admin.post("/rerank", CANDIDATES)
    await settled(admin, 1)
    assert (seen(admin).ranked, seen(admin).other_best) == (1, int(best != other))


async def test_the_metrics_hold_it(admin) -> None:
    await share(admin, 1)
    await admin.post("/rerank", CANDIDATES)
    await settled(admin, 1)
    assert metric(admin, 'surefoot_shadow_groups_total{model="prm",outcome="compared"}') == 1
    assert metric(admin, 'surefoot_shadow_ranked_groups_total{model="prm"}') == 1
    assert metric(admin, 'surefoot_shadow_score_difference_count{model="prm"}') == 3


async def test_no_metric_of_rewards_counts_the_candidate(admin) -> None:
    await share(admin, 1)
    await score(admin)
    await settled(admin, 1)
    assert metric(admin, 'surefoot_probabilities_total{model="prm"}') == 2


@pytest.mark.parametrize(("value", "expected"), [(0.5, 5), (0.25, 2), (1, 10)])
async def test_the_share_is_kept_to(admin, value, expected) -> None:
    await share(admin, value)
    for _ in range(10):
        await score(admin)
        await asyncio.sleep(0.02)
    await settled(admin, expected)


async def test_share_0_ends_it_and_keeps_what_was_seen(admin) -> None:
    await share(admin, 1)
    await score(admin)
    await settled(admin, 1)
    ended = await share(admin, 0)
    await score(admin)
    assert (ended["share"], seen(admin).compared) == (0, 1)
    assert len(admin.parts.backend.batches) == 3


@pytest.mark.parametrize("value", [-0.1, 1.1, "much", None])
async def test_a_share_is_a_share(admin, value) -> None:
    error = await admin.refused(f"{PRM}/shadow", {"share": value}, 422)
    assert (error["code"], error["param"]) == ("invalid_request", "share")


async def test_there_must_be_a_candidate(serve) -> None:
    api = await serve(admin_routes=True)
    assert (await api.refused(f"{PRM}/shadow", {"share": 1}, 409))["code"] == "model_state_conflict"


@pytest.mark.parametrize("change", ["promote", "unload"])
async def test_a_change_ends_it(admin, change) -> None:
    await share(admin, 1)
    if change == "promote":
        await admin.post(f"{PRM}/promote", None)
    else:
        await admin.post(f"{PRM}/unload", {"which": "candidate"})
    await score(admin)
    assert (await admin.get(PRM))["shadow"] is None
    assert len(admin.parts.backend.batches) == 1


async def test_a_candidate_that_fails_changes_no_answer(admin) -> None:
    before = await score(admin)
    admin.parts.backend.fail_items(lambda item: item.head == HEAD)
    await share(admin, 1)
    for _ in range(3):
        assert await score(admin) == before
    await settled(admin, 3)
    assert seen(admin).failed >= 1
    assert seen(admin).compared == 0


async def test_what_would_hold_others_up_is_dropped(admin) -> None:
    await share(admin, 1)
    admin.parts.backend.forward_delay_s = 0.005
    await asyncio.gather(*(score(admin) for _ in range(40)))
    await asyncio.gather(*(score(admin) for _ in range(40)))
    await settled(admin, 80)
    assert seen(admin).dropped > 0


async def test_an_unloaded_candidate_is_released_in_the_middle_of_a_comparison(admin) -> None:
    await share(admin, 1)
    await score(admin)
    line = weakref.ref(admin.fake.service.succession.standing("prm").place.candidate.model.line)
    await admin.post(f"{PRM}/unload", {"which": "candidate"})
    await asyncio.sleep(0.05)
    gc.collect()
    assert line() is None


async def test_changes_with_a_shadow_under_load_fail_no_request_and_mix_no_two_models(admin) -> None:
    expected = {}
    for change in ("promote", "rollback"):
        answer = await score(admin)
        expected[answer["fingerprint"]] = answer["results"]
        await admin.post(f"{PRM}/{change}", None)
    admin.parts.backend.forward_delay_s = 0.001
    changing, answers = asyncio.create_task(change_often(admin)), []
    while not changing.done():
        answers += await asyncio.gather(*(score(admin) for _ in range(8)))
    await changing
    assert len(expected) == 2
    assert {answer["fingerprint"] for answer in answers} == set(expected)
    assert [answer["results"] for answer in answers] == [expected[answer["fingerprint"]] for answer in answers]


async def change_often(api) -> None:
    """Begins and ends with the candidate loaded."""
    for _ in range(5):
        await share(api, 1)
        await asyncio.sleep(0.02)
        await api.post(f"{PRM}/promote", None)
        await asyncio.sleep(0.01)
        await api.post(f"{PRM}/rollback", None)
        await share(api, 0.5)
        await asyncio.sleep(0.01)
        await api.post(f"{PRM}/unload", {"which": "candidate"})
        await api.post(f"{PRM}/candidate", {"label": "v2"})
