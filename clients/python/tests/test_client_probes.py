"""`models`, `reload`, `health` and `ready`."""

import httpx
import pytest

from surefoot_client import ConnectionFailed, NotReady, Unauthorized

READY = {
    "ready": True,
    "models": {"prm": "ready"},
    "generators": {"default": {"engine": "vllm", "state": "starting", "detail": "loading"}},
}
CATALOG = {
    "object": "list",
    "data": [
        {
            "id": "prm",
            "object": "model",
            "kind": "process",
            "profile": "default",
            "scale": "probability",
            "tolerance": 0.001,
            "threshold": 0.5,
            "aggregation": "prod",
            "max_input_tokens": 4096,
            "trained": False,
            "notice": "untrained: scores mean nothing",
            "base_id": "b1",
            "fingerprint": "f1",
            "dtype": "float32",
            "backend": "transformers",
            "device": "cpu",
            "self_check": {
                "state": "passed",
                "against": "golden",
                "max_difference": 2e-7,
                "num_scores": 11,
                "detail": "",
            },
        }
    ],
    "generators": [{"id": "default", "engine": "vllm", "state": "ready", "model": "tiny"}],
}


def test_models_are_typed(driver, server):
    server.reply(httpx.Response(200, json=CATALOG))
    model = driver.call("models").models[0]
    assert (model.id, model.kind, model.scale, model.max_input_tokens) == ("prm", "process", "probability", 4096)
    assert (model.trained, model.notice) == (False, "untrained: scores mean nothing")
    assert (model.threshold, model.aggregation, model.tolerance) == (0.5, "prod", 0.001)


def test_a_reload_is_typed(driver, server):
    answer = {"name": "prm", "fingerprint": "f2", "previous_fingerprint": "f1", "changed": True}
    server.reply(httpx.Response(200, json=answer))
    done = driver.call("reload", "prm")
    assert (done.name, done.fingerprint, done.previous_fingerprint, done.changed) == ("prm", "f2", "f1", True)


def test_a_reload_names_its_model_in_the_path(driver, server):
    answer = {"name": "a/b", "fingerprint": "f1", "previous_fingerprint": "f1", "changed": False}
    server.reply(httpx.Response(200, json=answer))
    driver.call("reload", "a/b#?")
    assert server.requests[0].url.raw_path == b"/admin/models/a/b%23%3F/reload"


def test_the_self_check_is_typed(driver, server):
    server.reply(httpx.Response(200, json=CATALOG))
    check = driver.call("models").models[0].self_check
    assert (check.state, check.against, check.max_difference, check.num_scores) == ("passed", "golden", 2e-7, 11)


def test_an_unverified_model_says_so(driver, server):
    unverified = {"state": "unverified", "against": None, "max_difference": None, "num_scores": 0, "detail": "pin it"}
    [model] = CATALOG["data"]
    server.reply(httpx.Response(200, json={**CATALOG, "data": [{**model, "self_check": unverified}]}))
    check = driver.call("models").models[0].self_check
    assert (check.state, check.against, check.max_difference, check.detail) == ("unverified", None, None, "pin it")


def test_a_server_that_says_nothing_of_a_self_check_is_read(driver, server):
    model = {name: value for name, value in CATALOG["data"][0].items() if name != "self_check"}
    server.reply(httpx.Response(200, json={**CATALOG, "data": [model]}))
    assert driver.call("models").models[0].self_check is None


def test_generators_are_typed(driver, server):
    server.reply(httpx.Response(200, json=CATALOG))
    generator = driver.call("models").generators[0]
    assert (generator.id, generator.engine, generator.state, generator.model) == ("default", "vllm", "ready", "tiny")


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [("models", "/v1/models", CATALOG), ("health", "/health", {}), ("ready", "/ready", READY)],
)
def test_reading_routes_are_got_without_a_body(driver, server, method, path, answer):
    server.reply(httpx.Response(200, json=answer))
    driver.call(method)
    request = server.requests[0]
    assert (request.method, request.url.path, request.content) == ("GET", path, b"")
    assert "content-type" not in request.headers


def test_ready_is_typed(driver, server):
    server.reply(httpx.Response(200, json=READY))
    state = driver.call("ready")
    assert (state.ready, state.models) == (True, {"prm": "ready"})
    assert (state.generators["default"].state, state.generators["default"].detail) == ("starting", "loading")


def test_not_ready_is_a_state_and_no_error(driver, server):
    server.reply(httpx.Response(503, json={**READY, "ready": False, "models": {"prm": "loading"}}))
    state = driver.call("ready")
    assert (state.ready, state.models) == (False, {"prm": "loading"})


def test_details_say_why_a_model_is_not_ready(driver, server):
    server.reply(httpx.Response(503, json={**READY, "ready": False, "details": {"prm": "checkpoint missing"}}))
    assert driver.call("ready").details == {"prm": "checkpoint missing"}


def test_a_503_without_a_state_is_an_error(driver, server):
    server.reply(httpx.Response(503, text="<html>no upstream</html>"))
    with pytest.raises(NotReady):
        driver.call("ready")


def test_ready_behind_a_refused_key_is_an_error(driver, server):
    server.reply(httpx.Response(401, json={"error": {"code": "unauthorized", "message": "no key"}}))
    with pytest.raises(Unauthorized):
        driver.call("ready")


@pytest.mark.parametrize(("status", "alive"), [(200, True), (204, True), (500, False), (503, False)])
def test_health_says_whether_the_process_is_alive(driver, server, status, alive):
    server.reply(httpx.Response(status, text="whatever"))
    assert driver.call("health") is alive


def test_health_of_a_silent_address_raises(driver, server):
    server.reply(httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailed):
        driver.call("health")


@pytest.mark.parametrize("method", ["health", "ready"])
def test_probes_are_never_retried(driver, server, method):
    server.reply(httpx.ConnectError("refused"))
    with pytest.raises(ConnectionFailed):
        driver.call(method)
    assert len(server.requests) == 1
