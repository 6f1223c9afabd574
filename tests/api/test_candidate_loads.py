"""While a candidate is being loaded: what is asked meanwhile, who leaves in the middle, and what a restart finds."""

import asyncio
from pathlib import Path

import pytest

from surefoot.errors import OutOfMemory
from surefoot.profiles import load_profile

PRM = "/admin/models/prm"
ITEM = {"problem": "What is 2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}
OLD, NEW = "fake-embedded-prm", "fake-embedded-prm@v2"


@pytest.fixture
def candidates():
    profile = load_profile("embedded-prm")
    return {"prm": {"v2": profile, "v3": profile, "large": OutOfMemory("choose smaller weights")}}


@pytest.fixture
async def admin(serve, candidates):
    """The proof of a candidate waits for `release`, as everything that is scored does."""
    api = await serve(admin_routes=True, proves=True, candidates=candidates)
    api.parts.backend.hold()
    return api


@pytest.fixture
async def loading(admin):
    """A request for v2 whose proof has begun."""
    request = asyncio.create_task(admin.http.post(f"{PRM}/candidate", json={"label": "v2"}))
    await admin.until(lambda: admin.fake.service.succession.standing("prm").place.loading == "v2")
    return request


def fingerprint(answer) -> str:
    return answer["fingerprint"]


async def test_it_is_said_which_one_is_being_loaded(admin, loading) -> None:
    shown = await admin.get(PRM)
    assert (shown["loading"], shown["candidate"]) == ("v2", None)
    admin.parts.backend.release()
    assert ((await loading).json()["loading"], (await loading).json()["candidate"]["label"]) == (None, "v2")


@pytest.mark.parametrize("label", ["v2", "v3"])
async def test_another_one_is_a_conflict_meanwhile(admin, loading, label) -> None:
    error = await admin.refused(f"{PRM}/candidate", {"label": label}, 409)
    assert error["code"] == "model_state_conflict"
    admin.parts.backend.release()
    assert (await loading).status_code == 200


@pytest.mark.parametrize(
    ("change", "body"), [("promote", None), ("shadow", {"share": 1}), ("unload", {"which": "candidate"})]
)
async def test_nothing_is_done_with_it_before_it_is_proven(admin, loading, change, body) -> None:
    assert (await admin.refused(f"{PRM}/{change}", body, 409))["code"] == "model_state_conflict"
    admin.parts.backend.release()
    assert fingerprint((await loading).json()) == OLD


async def test_it_stands_there_although_its_caller_left(admin, raw_call) -> None:
    call = raw_call(f"{PRM}/candidate", {"label": "v2"})
    running = asyncio.create_task(call.run(admin.app))
    await admin.until(lambda: admin.fake.service.succession.standing("prm").place.loading == "v2")
    call.disconnect.set()
    await asyncio.sleep(0.01)
    admin.parts.backend.release()
    await running
    assert (await admin.get(PRM))["candidate"]["label"] == "v2"


async def test_one_that_does_not_fit_leaves_the_model_served(serve, candidates) -> None:
    api = await serve(admin_routes=True, candidates=candidates)
    error = await api.refused(f"{PRM}/candidate", {"label": "large"}, 422)
    assert error["code"] == "out_of_memory"
    assert fingerprint(await api.post("/score", {"items": [ITEM]})) == OLD


async def test_a_restart_serves_what_was_promoted(serve, candidates, tmp_path: Path) -> None:
    kept = {"admin_routes": True, "candidates": candidates, "promotions_file": tmp_path / "promotions.json"}
    before = await serve(**kept)
    await before.post(f"{PRM}/candidate", {"label": "v2"})
    assert (await before.post(f"{PRM}/promote", None))["label_after_restart"] == "v2"
    after = await serve(**kept)
    shown = await after.get(PRM)
    assert (shown["label"], shown["fingerprint"], shown["previous"]) == ("v2", NEW, None)
    assert fingerprint(await after.post("/score", {"items": [ITEM]})) == NEW


async def test_a_restart_after_a_rollback_serves_the_model_of_the_settings(serve, candidates, tmp_path: Path) -> None:
    kept = {"admin_routes": True, "candidates": candidates, "promotions_file": tmp_path / "promotions.json"}
    before = await serve(**kept)
    await before.post(f"{PRM}/candidate", {"label": "v2"})
    await before.post(f"{PRM}/promote", None)
    await before.post(f"{PRM}/rollback", None)
    assert fingerprint(await (await serve(**kept)).get(PRM)) == OLD


async def test_without_a_file_it_is_said_that_a_promotion_does_not_last(serve, candidates) -> None:
    api = await serve(admin_routes=True, candidates=candidates)
    await api.post(f"{PRM}/candidate", {"label": "v2"})
    promoted = await api.post(f"{PRM}/promote", None)
    assert (promoted["label"], promoted["label_after_restart"]) == ("v2", None)
