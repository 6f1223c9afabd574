"""What the operations routes promise: /v1/models, /health, /ready and /metrics."""

import asyncio
import re

import pytest

from forwarded import with_rows
from surefoot.backends.fake_backend import FakeBackend
from surefoot.errors import CheckpointMissing
from surefoot.sampling.fake_sampler import FakeSampler

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5"]}
BROKEN = {"orm": CheckpointMissing("there is no checkpoint")}


def sample(text: str, name: str, **labels: str) -> float:
    """The value of one line of the exposition; fails unless it is there once."""
    wanted = "".join(rf'(?=.*{label}="{re.escape(value)}")' for label, value in labels.items())
    [value] = re.findall(rf"^{name}(?:\{{{wanted}[^}}]*\}})? ([0-9.e+-]+)$", text, re.MULTILINE)
    return float(value)


async def metrics(api) -> str:
    response = await api.http.get("/metrics")
    assert response.status_code == 200
    return response.text


async def test_models_are_listed_in_configured_order(api) -> None:
    listed = await api.get("/v1/models")
    assert [model["id"] for model in listed["data"]] == ["prm", "orm", "reward", "raw"]


async def test_a_model_tells_its_profile_scale_limits_and_fingerprint(api) -> None:
    prm = (await api.get("/v1/models"))["data"][0]
    told = {name: prm[name] for name in ("kind", "profile", "scale", "max_input_tokens", "threshold", "aggregation")}
    assert told == {
        "kind": "process",
        "profile": "embedded-prm",
        "scale": "probability",
        "max_input_tokens": 4096,
        "threshold": 0.73,
        "aggregation": "prod",
    }
    assert prm["fingerprint"]


async def test_a_model_tells_how_it_was_checked(serve) -> None:
    prm = (await (await serve(proves=True)).get("/v1/models"))["data"][0]
    num_scores = prm["self_check"].pop("num_scores")
    assert num_scores >= 10
    assert prm["self_check"] == {"state": "passed", "against": "plain_forward", "max_difference": 0.0, "detail": ""}


async def test_a_model_without_anything_to_check_it_by_says_how_to_pin(serve) -> None:
    prm = (await (await serve(proves=True, has_plain_pass=False)).get("/v1/models"))["data"][0]
    assert (prm["self_check"]["state"], prm["self_check"]["against"]) == ("unverified", None)
    assert "surefoot models pin" in prm["self_check"]["detail"]


async def test_an_untrained_model_says_so(api) -> None:
    prm = (await api.get("/v1/models"))["data"][0]
    assert (prm["trained"], "untrained" in prm["notice"]) == (False, True)


async def test_the_listed_fingerprint_is_that_of_the_scores(api) -> None:
    prm = (await api.get("/v1/models"))["data"][0]
    assert (await api.post("/score", ITEM))["fingerprint"] == prm["fingerprint"]


async def test_generators_are_listed(api) -> None:
    [generator] = (await api.get("/v1/models"))["generators"]
    assert (generator["id"], generator["engine"], generator["state"]) == ("default", "fake", "ready")


async def test_models_that_did_not_load_are_not_listed(serve) -> None:
    api = await serve(broken=BROKEN)
    assert "orm" not in {model["id"] for model in (await api.get("/v1/models"))["data"]}


async def test_health_answers_while_nothing_is_loaded(serve) -> None:
    api = await serve(loads=False)
    assert await api.get("/health") == {"status": "ok"}


async def test_ready_when_every_model_is_loaded(api) -> None:
    state = await api.get("/ready")
    assert (state["ready"], set(state["models"].values())) == (True, {"ready"})


async def test_not_ready_while_models_load(serve) -> None:
    api = await serve(loads=False)
    response = await api.http.get("/ready")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    assert int(response.headers["retry-after"]) >= 1


async def test_not_ready_when_a_model_failed(serve) -> None:
    api = await serve(broken=BROKEN)
    response = await api.http.get("/ready")
    assert (response.status_code, response.json()["models"]["orm"]) == (503, "failed")


async def test_ready_says_why_a_model_failed(serve) -> None:
    api = await serve(broken=BROKEN)
    details = (await api.http.get("/ready")).json()["details"]
    assert details == {"orm": "checkpoint_missing: there is no checkpoint"}


async def test_an_unexpected_failure_to_load_keeps_its_inside_to_itself(serve) -> None:
    api = await serve(broken={"orm": RuntimeError("/secret/path")})
    details = (await api.http.get("/ready")).json()["details"]
    assert details == {"orm": "internal_error: RuntimeError"}


class SwappedColumns(FakeBackend):
    """Serves the columns of each row in the wrong order."""

    def forward(self, batch):
        return with_rows(super().forward(batch), lambda rows: tuple(row[::-1] for row in rows))


async def test_not_ready_with_a_served_path_that_is_wrong(serve, caplog) -> None:
    api = await serve(proves=True, backend=SwappedColumns())
    response = await api.http.get("/ready")
    assert (response.status_code, response.json()["models"]["prm"]) == (503, "failed")
    detail = response.json()["details"]["prm"]
    assert re.match(
        r"self_check_failed: probe '[a-z ]+', step \d: served 0\.\d+, .* gives 0\.\d+: .* tolerance", detail
    )
    assert detail in caplog.text


async def test_models_that_prove_themselves_are_served_beside_one_that_does_not(serve) -> None:
    api = await serve(proves=True, backend=SwappedColumns())
    # One column cannot be swapped.
    assert {model["id"] for model in (await api.get("/v1/models"))["data"]} == {"reward", "raw"}


async def test_loaded_models_are_served_beside_a_failed_one(serve) -> None:
    api = await serve(broken=BROKEN)
    assert (await api.post("/score", ITEM))["model"] == "prm"


async def test_generators_do_not_count_for_ready(serve) -> None:
    class Down(FakeSampler):
        def state(self):
            return type(super().state())("default", "fake", "failed", "no memory")

    api = await serve(sampler=Down(["x"]))
    state = await api.get("/ready")
    assert (state["ready"], state["generators"]["default"]["state"]) == (True, "failed")


@pytest.mark.parametrize("name", ["requests_total", "request_seconds_count"])
async def test_requests_and_their_latency_are_measured_by_route(api, name) -> None:
    await api.post("/score", ITEM)
    await api.post("/score", ITEM)
    labels = {"status": "200"} if name == "requests_total" else {}
    assert sample(await metrics(api), f"surefoot_{name}", route="/score", **labels) == 2


async def test_statuses_are_told_apart(api) -> None:
    await api.refused("/score", {"items": 3}, 422)
    assert sample(await metrics(api), "surefoot_requests_total", route="/score", status="422") == 1


async def test_unknown_paths_share_one_label(api) -> None:
    for path in ("/a", "/b/c", "/score/x"):
        await api.http.get(path)
    assert sample(await metrics(api), "surefoot_requests_total", route="unmatched", status="404") == 3


async def test_errors_of_items_are_counted_by_code(api) -> None:
    await api.post("/score", {"items": [ITEM, {"problem": "", "steps": ["a"]}]})
    assert sample(await metrics(api), "surefoot_errors_total", code="empty_problem") == 1


async def test_errors_of_candidates_are_counted_by_code(api) -> None:
    await api.post("/rerank", {"problem": "p", "candidates": ["", "It is 5."]})
    assert sample(await metrics(api), "surefoot_errors_total", code="no_steps") == 1


async def test_errors_of_requests_are_counted_by_code(api) -> None:
    await api.refused("/score", ITEM | {"model": "other"}, 404)
    assert sample(await metrics(api), "surefoot_errors_total", code="model_not_found") == 1


async def test_batches_are_measured(api) -> None:
    answer = await api.post("/score", {"items": [ITEM] * 3})
    text = await metrics(api)
    assert sample(text, "surefoot_batch_items_sum", backend="fake") == 3
    assert sample(text, "surefoot_batch_tokens_sum", backend="fake") == answer["usage"]["prompt_tokens"]


async def test_waits_are_measured(api) -> None:
    await api.post("/score", {"items": [ITEM] * 3})
    assert sample(await metrics(api), "surefoot_queue_seconds_count", backend="fake") == 3


async def test_the_queue_shows_while_it_waits(api) -> None:
    backend = api.parts.backend
    backend.hold()
    running = asyncio.create_task(api.post("/score", ITEM))
    await api.until(lambda: len(backend.batches) == 1)
    waiting = asyncio.create_task(api.post("/score", {"items": [ITEM, ITEM]}))
    await api.until(lambda: api.fake.scheduler.snapshot().num_requests == 2)
    shown = sample(await metrics(api), "surefoot_queue_requests", backend="fake")
    backend.release()
    await asyncio.gather(running, waiting)
    assert shown == 2


async def test_the_queue_is_empty_afterwards(api) -> None:
    await api.post("/score", ITEM)
    text = await metrics(api)
    queue = [sample(text, f"surefoot_queue_{what}", backend="fake") for what in ("requests", "tokens")]
    assert queue == [0, 0]


async def test_scored_tokens_are_counted_by_model(api) -> None:
    usage = (await api.post("/score", {"items": [ITEM, ITEM]}))["usage"]
    text = await metrics(api)
    counted = [sample(text, f"surefoot_{what}_tokens_total", model="prm") for what in ("prompt", "unique")]
    assert counted == [usage["prompt_tokens"], usage["unique_tokens"]]


async def test_sampled_candidates_are_counted(api) -> None:
    usage = (await api.post("/sample", {"problem": "p", "n": 3}))["usage"]
    text = await metrics(api)
    assert sample(text, "surefoot_sampled_candidates_total", generator="default") == 3
    assert sample(text, "surefoot_sampled_tokens_total", generator="default") == usage["completion_tokens"]


async def test_failed_sampling_is_counted(api) -> None:
    api.parts.sampler.fails_with = "down"
    await api.refused("/sample", {"problem": "p"}, 503)
    assert sample(await metrics(api), "surefoot_sampler_failures_total", generator="default") == 1


async def test_metrics_have_prometheus_content_type(api) -> None:
    content_type = (await api.http.get("/metrics")).headers["content-type"]
    assert content_type.startswith("text/plain; version=")


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json"])
async def test_the_api_describes_itself(api, path) -> None:
    assert (await api.http.get(path)).status_code == 200
