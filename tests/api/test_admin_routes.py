"""`/admin/models`: off unless asked for, a reload and its errors, and what callers of the other routes see of it."""

import asyncio

import pytest

from surefoot.errors import AdapterInvalid, AdapterMismatch, ProfileInvalid, SelfCheckFailed
from surefoot.profiles import load_profile

RELOAD = "/admin/models/prm/reload"
ITEM = {"problem": "What is 2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}


@pytest.fixture
def adapters() -> dict[str, str | Exception]:
    """What the adapter directories hold: by model, an adapter's id or an error. Tests change it under the server."""
    return {"prm": "first"}


@pytest.fixture
async def admin(serve, adapters):
    return await serve(adapters=adapters, admin_routes=True)


async def scored(api) -> tuple[str, list[float]]:
    answer = await api.post("/score", {"items": [ITEM]})
    return answer["fingerprint"], [step["score"] for step in answer["results"][0]["steps"]]


async def test_it_is_off_by_default(serve, adapters) -> None:
    error = await (await serve(adapters=adapters)).refused(RELOAD, None, 404)
    assert error["code"] == "not_found"


async def test_a_reload_says_what_it_changed(admin, adapters) -> None:
    adapters["prm"] = "second"
    assert await admin.post(RELOAD, None) == {
        "name": "prm",
        "fingerprint": "fake-embedded-prm@second",
        "previous_fingerprint": "fake-embedded-prm@first",
        "changed": True,
    }


async def test_the_same_files_change_nothing(admin) -> None:
    answer = await admin.post(RELOAD, None)
    assert (answer["changed"], answer["fingerprint"]) == (False, answer["previous_fingerprint"])


async def test_the_catalog_shows_the_new_fingerprint(admin, adapters) -> None:
    adapters["prm"] = "second"
    answer = await admin.post(RELOAD, None)
    models = (await admin.get("/v1/models"))["data"]
    assert next(model["fingerprint"] for model in models if model["id"] == "prm") == answer["fingerprint"]


async def test_scores_are_the_new_adapters(admin, adapters) -> None:
    before = await scored(admin)
    adapters["prm"] = "second"
    await admin.post(RELOAD, None)
    after = await scored(admin)
    assert before[0] != after[0]
    assert before[1] != after[1]


async def test_a_request_that_has_begun_finishes_with_its_adapter(admin, adapters) -> None:
    before = await scored(admin)
    admin.parts.backend.hold()
    begun = asyncio.create_task(scored(admin))
    await admin.until(lambda: len(admin.parts.backend.batches) == 2)
    adapters["prm"] = "second"
    await admin.post(RELOAD, None)
    admin.parts.backend.release()
    assert await begun == before


async def test_a_name_may_hold_a_slash(serve) -> None:
    api = await serve(
        profiles={"owner/prm": load_profile("embedded-prm")}, adapters={"owner/prm": "first"}, admin_routes=True
    )
    assert (await api.post("/admin/models/owner/prm/reload", None))["name"] == "owner/prm"


async def test_an_unknown_model_is_not_found(admin) -> None:
    error = await admin.refused("/admin/models/secret-name/reload", None, 404)
    assert error["code"] == "model_not_found"
    assert "secret-name" not in error["message"]


async def test_a_model_without_an_adapter_says_so(admin) -> None:
    error = await admin.refused("/admin/models/orm/reload", None, 422)
    assert (error["code"], error["param"]) == ("adapter_not_configured", "name")


async def test_a_model_that_is_not_loaded_is_not_ready(serve, adapters) -> None:
    api = await serve(adapters=adapters, admin_routes=True, loads=False)
    assert (await api.refused(RELOAD, None, 503))["code"] == "not_ready"


@pytest.mark.parametrize("error", [AdapterInvalid, AdapterMismatch, ProfileInvalid, SelfCheckFailed])
async def test_what_cannot_be_served_is_refused_by_its_code(admin, adapters, error) -> None:
    adapters["prm"] = error("copy it again", param="adapter")
    refused = await admin.refused(RELOAD, None, 422)
    assert (refused["code"], refused["message"]) == (error.code, "copy it again")


async def test_after_an_error_the_model_is_served_as_before(admin, adapters) -> None:
    before = await scored(admin)
    adapters["prm"] = AdapterInvalid("copy it again")
    await admin.refused(RELOAD, None, 422)
    assert await scored(admin) == before


async def test_an_unforeseen_error_tells_nothing_of_itself(admin, adapters) -> None:
    adapters["prm"] = RuntimeError("/home/operator/secret")
    error = await admin.refused(RELOAD, None, 500)
    assert error["code"] == "internal_error"
    assert "secret" not in error["message"]


async def test_every_answer_under_reloads_is_of_the_fingerprint_that_it_names(admin, adapters) -> None:
    expected = {}
    for name in ("first", "second"):
        adapters["prm"] = name
        await admin.post(RELOAD, None)
        fingerprint, scores = await scored(admin)
        expected[fingerprint] = scores
    admin.parts.backend.forward_delay_s = 0.002

    async def reload_often() -> None:
        for name in ("first", "second", "first", "second", "first"):
            adapters["prm"] = name
            assert (await admin.post(RELOAD, None))["changed"]
            await asyncio.sleep(0.003)

    *answers, _ = await asyncio.gather(*(scored(admin) for _ in range(25)), reload_often())
    answers += await asyncio.gather(*(scored(admin) for _ in range(25)))
    assert [scores for _, scores in answers] == [expected[fingerprint] for fingerprint, _ in answers]
