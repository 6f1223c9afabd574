"""Keys under a running service: rotation without a restart, whose turn work takes, and what is told of a key."""

import asyncio
import json
import logging

import httpx
import pytest

from surefoot.access import SCOPES, read_keys
from surefoot.log_lines import JsonLines
from surefoot.scheduling.limits import SchedulerLimits

ITEM = {"problem": "2 + 3?", "steps": ["2 + 3 = 5.", "The answer is 5."]}


def bearing(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
async def guarded(serve, keys_in_file):
    return await serve(keys=keys_in_file.ring(), queue=SchedulerLimits(max_batch_items=2))


@pytest.fixture
def score(guarded, keys_in_file):
    """Scores `count` items with a key after the service's next look at its file; gives the response."""

    async def send(key: str, count: int = 1, said: str = "The answer is 5.") -> httpx.Response:
        keys_in_file.now_s += 1
        items = [{"problem": f"{key[-3:]} {number}?", "steps": [said]} for number in range(count)]
        return await guarded.http.post("/score", json={"items": items}, headers=bearing(key))

    return send


async def test_a_new_key_works_without_a_restart(score, keys_in_file) -> None:
    assert (await score(keys_in_file.new("alice", "score"))).status_code == 200


async def test_a_revoked_key_is_refused_without_a_restart(score, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    assert (await score(key)).status_code == 200
    keys_in_file.revoke("alice")
    assert (await score(key)).status_code == 401


async def test_a_broken_file_keeps_its_keys_and_is_counted(score, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    assert (await score(key)).status_code == 200
    keys_in_file.path.write_text("{")
    assert [(await score(key)).status_code for _ in range(3)] == [200] * 3
    assert keys_in_file.counted == ["keys_file_invalid"]


@pytest.mark.parametrize(("names", "is_fair"), [(("many", "few"), True), (("same", "same"), False)])
async def test_turns_go_by_the_name_of_a_key(guarded, score, keys_in_file, names, is_fair: bool) -> None:
    first, second = (keys_in_file.new(name, "score") for name in names)
    guarded.parts.backend.hold()
    many = asyncio.create_task(score(first, 20))
    await guarded.until(lambda: guarded.fake.scheduler.snapshot().num_requests == 18)
    few = asyncio.create_task(score(second, 2, "The answer, as whoever adds both will find, is 5."))
    await guarded.until(lambda: guarded.fake.scheduler.snapshot().num_requests == 20)
    guarded.parts.backend.release()
    assert [(await each).status_code for each in (many, few)] == [200, 200]
    lengths = [[item.rendered.num_tokens for item in batch] for batch in guarded.parts.backend.batches]
    assert (max(map(max, lengths)) in lengths[-1]) is not is_fair


async def test_a_made_up_key_has_no_turn(guarded, score) -> None:
    guarded.parts.backend.hold()
    answers = [await score(f"sf-made-up-{number}", 5) for number in range(3)]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert guarded.fake.scheduler.snapshot().num_requests == 0


async def test_refusals_are_counted_by_route_and_by_code(guarded, score, keys_in_file) -> None:
    await score("sf-unknown")
    await score(keys_in_file.new("alice", "sample"))
    text = (await guarded.http.get("/metrics")).text
    for line in (
        'surefoot_requests_total{route="/score",status="401"} 1.0',
        'surefoot_requests_total{route="/score",status="403"} 1.0',
        'surefoot_errors_total{code="unauthorized"} 1.0',
        'surefoot_errors_total{code="forbidden"} 1.0',
    ):
        assert line in text


async def test_no_key_is_told_anywhere(guarded, score, keys_in_file, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    good, lacking, unknown = keys_in_file.new("a", *SCOPES), keys_in_file.new("b", "sample"), "sf-unknown-to-all"
    answers = [await score(key) for key in (good, lacking, unknown)]
    assert [answer.status_code for answer in answers] == [200, 403, 401]
    hashes = [record.sha256 for record in read_keys(keys_in_file.path).records]
    told = [caplog.text, (await guarded.http.get("/metrics")).text]
    told += [f"{answer.text} {answer.headers}" for answer in answers]
    assert not [text for text in (good, lacking, unknown, *hashes) if any(text in found for found in told)]


async def test_the_request_id_of_a_refusal_is_echoed(guarded) -> None:
    answer = await guarded.http.post("/score", json=ITEM, headers={"x-request-id": "mine-1"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (401, "mine-1")


async def test_the_line_of_a_request_names_its_key(score, keys_in_file, caplog) -> None:
    caplog.set_level(logging.INFO, logger="surefoot.access_log")
    await score(keys_in_file.new("alice", "score"))
    [line] = [json.loads(JsonLines().format(each)) for each in caplog.records if each.name == "surefoot.access_log"]
    assert (line["caller"], line["route"], line["status"]) == ("key alice", "/score", 200)
