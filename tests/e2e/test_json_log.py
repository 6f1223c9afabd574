"""The log of a real process with `log_format = "json"`: uvicorn's lines, requests and signals are objects alike."""

import json
import signal

import httpx

SECRET = "zebra4711"


def test_every_line_of_a_process_is_an_object(start_fake) -> None:
    server = start_fake('log_format = "json"\n', 0.0)
    httpx.post(f"{server.url}/score?{SECRET}", content=f'{{"problem": "{SECRET}"', headers={"x-request-id": "r-1"})
    server.config.write_text('log_format = "json"\nlog_level = "debug"\n')
    server.process.send_signal(signal.SIGHUP)
    server.until(lambda: "settings read again" in server.log.read_text())
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(20) == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert {"uvicorn.error", "surefoot.access_log", "surefoot.wiring.reconfigure"} <= {line["logger"] for line in lines}
    [asked] = [line for line in lines if line.get("route") == "/score"]
    assert (asked["request_id"], asked["status"]) == ("r-1", 400)
    assert SECRET not in server.log.read_text()


def test_the_level_of_the_log_changes_under_a_running_service(start_fake) -> None:
    server = start_fake('log_format = "json"\nlog_level = "warning"\n', 0.0)
    httpx.get(f"{server.url}/health", headers={"x-request-id": "before"})
    server.config.write_text('log_format = "json"\n')
    server.process.send_signal(signal.SIGHUP)
    server.until(lambda: "settings read again" in server.log.read_text())
    httpx.get(f"{server.url}/health", headers={"x-request-id": "after"})
    server.until(lambda: "after" in server.log.read_text())
    ids = [json.loads(line).get("request_id") for line in server.log.read_text().splitlines()]
    assert ("before" in ids, "after" in ids) == (False, True)
