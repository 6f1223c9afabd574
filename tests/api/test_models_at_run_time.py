"""`/admin/models`: candidates beside served models, promoted and rolled back under load."""

import asyncio
import gc
import weakref

import pytest

from surefoot.errors import AdapterMismatch, CheckpointMissing, SelfCheckFailed
from surefoot.profiles import load_profile

PRM = "/admin/models/prm"
ITEM = {"problem": "What is 2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}
OLD, NEW = "fake-embedded-prm", "fake-embedded-prm@v2"


@pytest.fixture
async def admin(serve):
    """prm with candidates v2, v3, and three that cannot be loaded."""
    profile = load_profile("embedded-prm")
    failing = {
        "gone": CheckpointMissing("copy it again"),
        "mismatch": AdapterMismatch("copy it again"),
        "unproven": SelfCheckFailed("copy it again"),
        "odd": RuntimeError("/home/operator/secret"),
    }
    return await serve(admin_routes=True, candidates={"prm": {"v2": profile, "v3": profile, **failing}})


async def load(api, label: str = "v2"):
    return await api.post(f"{PRM}/candidate", {"label": label})


async def scored(api) -> tuple[str, list[float]]:
    answer = await api.post("/score", {"items": [ITEM]})
    return answer["fingerprint"], [step["score"] for step in answer["results"][0]["steps"]]


async def unload(api, which: str):
    return await api.post(f"{PRM}/unload", {"which": which})


def standing(answer) -> tuple[str, str | None, str | None]:
    """Fingerprints of what is served, of the candidate and of the one before."""
    beside = (answer[part] and answer[part]["fingerprint"] for part in ("candidate", "previous"))
    return (answer["fingerprint"], *beside)


async def test_they_are_off_by_default(api) -> None:
    assert (await api.http.get("/admin/models")).status_code == 404


async def test_the_list_says_what_stands_by_each_name(admin) -> None:
    await load(admin)
    listed = (await admin.get("/admin/models"))["models"]
    assert [model["name"] for model in listed] == ["prm", "orm", "reward", "raw"]
    assert listed[0] == {
        "name": "prm",
        "state": "ready",
        "detail": "",
        "fingerprint": OLD,
        "label": None,
        "candidate": {"label": "v2", "fingerprint": NEW, "profile": "embedded-prm", "self_check": "unverified"},
        "previous": None,
        "shadow": None,
        "loading": None,
        "candidates": ["v2", "v3", "gone", "mismatch", "unproven", "odd"],
        "label_after_restart": None,
    }


async def test_one_model_is_shown_as_in_the_list(admin) -> None:
    assert (await admin.get(PRM)) == (await admin.get("/admin/models"))["models"][0]


async def test_a_model_that_is_not_loaded_has_no_fingerprint(serve) -> None:
    api = await serve(admin_routes=True, loads=False)
    assert ((await api.get(PRM))["state"], (await api.get(PRM))["fingerprint"]) == ("loading", None)


async def test_a_loaded_candidate_is_not_served(admin) -> None:
    before = await scored(admin)
    assert standing(await load(admin)) == (OLD, NEW, None)
    assert await scored(admin) == before


async def test_a_candidate_is_proven_before_it_stands_there(serve) -> None:
    api = await serve(admin_routes=True, proves=True, candidates={"prm": {"v2": load_profile("embedded-prm")}})
    assert (await load(api))["candidate"]["self_check"] == "passed"


async def test_a_promotion_serves_the_candidate_and_keeps_the_model_before(admin) -> None:
    before = await scored(admin)
    await load(admin)
    promoted = await admin.post(f"{PRM}/promote", None)
    after = await scored(admin)
    assert (standing(promoted), promoted["label"]) == ((NEW, None, OLD), "v2")
    assert after[0] == NEW
    assert after[1] != before[1]


async def test_a_rollback_is_as_if_nothing_had_been_promoted(admin) -> None:
    before, loaded = await scored(admin), await load(admin)
    await admin.post(f"{PRM}/promote", None)
    assert await admin.post(f"{PRM}/rollback", None) == loaded
    assert await scored(admin) == before


async def test_a_rollback_takes_no_place_from_the_next_candidate(admin) -> None:
    await load(admin)
    await admin.post(f"{PRM}/promote", None)
    await load(admin, "v3")
    assert standing(await admin.post(f"{PRM}/rollback", None)) == (OLD, "fake-embedded-prm@v3", None)


async def test_a_second_promotion_keeps_the_model_just_before(admin) -> None:
    for label in ("v2", "v3"):
        await load(admin, label)
        promoted = await admin.post(f"{PRM}/promote", None)
    assert standing(promoted) == ("fake-embedded-prm@v3", None, NEW)


@pytest.mark.parametrize(("after", "what"), [([], "candidate"), (["promote"], "previous")])
async def test_what_is_let_go_of_stands_there_no_more(admin, after, what) -> None:
    await load(admin)
    for change in after:
        await admin.post(f"{PRM}/{change}", None)
    assert (await unload(admin, what))[what] is None


@pytest.mark.parametrize(("after", "what"), [([], "candidate"), (["promote"], "previous")])
async def test_what_is_let_go_of_is_released(admin, after, what) -> None:
    await load(admin)
    for change in after:
        await admin.post(f"{PRM}/{change}", None)
    kept = getattr(admin.fake.service.succession.standing("prm").place, what)
    line = weakref.ref(kept.model.line)
    del kept
    await unload(admin, what)
    gc.collect()
    assert line() is None


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ("promote", None),
        ("rollback", None),
        ("unload", {"which": "candidate"}),
        ("unload", {"which": "previous"}),
    ],
)
async def test_what_is_not_there_is_a_conflict(admin, change, body) -> None:
    assert (await admin.refused(f"{PRM}/{change}", body, 409))["code"] == "model_state_conflict"


async def test_what_is_served_is_not_unloaded(admin) -> None:
    assert (await admin.refused(f"{PRM}/unload", {"which": "served"}, 422))["param"] == "which"


@pytest.mark.parametrize(
    ("method", "change", "body"),
    [
        ("GET", "", None),
        ("POST", "/candidate", {"label": "v2"}),
        ("POST", "/shadow", {"share": 0.5}),
        ("POST", "/promote", None),
        ("POST", "/rollback", None),
        ("POST", "/unload", {"which": "previous"}),
    ],
)
async def test_an_unknown_model_is_not_found_and_not_repeated(admin, error_of, method, change, body) -> None:
    answer = await admin.http.request(method, f"/admin/models/secret-name{change}", json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (404, "model_not_found")
    assert "secret-name" not in answer.text


async def test_a_second_candidate_is_a_conflict(admin) -> None:
    await load(admin)
    error = await admin.refused(f"{PRM}/candidate", {"label": "v3"}, 409)
    assert "/unload" in error["message"]


@pytest.mark.parametrize("label", ["v9", "../v2", "/etc", "hub:owner/name", ""])
async def test_only_what_the_settings_name_is_loaded(admin, label) -> None:
    error = await admin.refused(f"{PRM}/candidate", {"label": label}, 422)
    assert (error["code"], error["param"]) == ("candidate_not_configured", "label")
    assert "v2, v3" in error["message"]
    assert not label or label not in error["message"]


@pytest.mark.parametrize("field", ["path", "adapter", "profile", "url"])
async def test_no_request_names_a_file(admin, field) -> None:
    error = await admin.refused(f"{PRM}/candidate", {"label": "v2", field: "/tmp/x"}, 422)
    assert error["param"] == field


@pytest.mark.parametrize(
    ("label", "status", "code"),
    [
        ("gone", 422, "checkpoint_missing"),
        ("mismatch", 422, "adapter_mismatch"),
        ("unproven", 422, "self_check_failed"),
        ("odd", 500, "internal_error"),
    ],
)
async def test_after_an_error_everything_stands_as_before(admin, label, status, code) -> None:
    before = await scored(admin), await admin.get(PRM)
    error = await admin.refused(f"{PRM}/candidate", {"label": label}, status)
    assert error["code"] == code
    assert "secret" not in error["message"]
    assert (await scored(admin), await admin.get(PRM)) == before


async def test_a_request_that_has_begun_finishes_with_its_model(admin) -> None:
    before = await scored(admin)
    await load(admin)
    admin.parts.backend.hold()
    begun = asyncio.create_task(scored(admin))
    await admin.until(lambda: len(admin.parts.backend.batches) == 2)
    await admin.post(f"{PRM}/promote", None)
    await unload(admin, "previous")
    admin.parts.backend.release()
    assert await begun == before


async def test_changes_under_load_fail_no_request_and_mix_no_two_models(admin) -> None:
    expected = dict([await scored(admin)])
    await load(admin)
    await admin.post(f"{PRM}/promote", None)
    expected.update([await scored(admin)])
    await admin.post(f"{PRM}/rollback", None)
    await unload(admin, "candidate")
    admin.parts.backend.forward_delay_s = 0.001
    changing = asyncio.create_task(change_often(admin))
    answers = []
    while not changing.done():
        answers += await asyncio.gather(*(scored(admin) for _ in range(8)), *(ranked(admin) for _ in range(2)))
    await changing
    assert {fingerprint for fingerprint, _ in answers} == set(expected) == {OLD, NEW}
    assert [scores for _, scores in answers] == [expected[fingerprint] for fingerprint, _ in answers]


async def ranked(api) -> tuple[str, list[float]]:
    """By /rerank, whose group holds the same solution twice."""
    answer = await api.post("/rerank", {"problem": ITEM["problem"], "candidates": [{"steps": ITEM["steps"]}] * 2})
    first, second = ([step["score"] for step in entry["steps"]] for entry in answer["results"])
    assert first == second
    return answer["fingerprints"]["prm"], first


async def change_often(api) -> None:
    for _ in range(6):
        await load(api)
        await asyncio.sleep(0.005)
        await api.post(f"{PRM}/promote", None)
        await asyncio.sleep(0.005)
        await api.post(f"{PRM}/rollback", None)
        await asyncio.sleep(0.005)
        await api.post(f"{PRM}/promote", None)
        await asyncio.sleep(0.005)
        await api.post(f"{PRM}/rollback", None)
        await unload(api, "candidate")
        await asyncio.sleep(0.002)
