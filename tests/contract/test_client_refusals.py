"""What the server refuses is a class of its own in the client, with what the caller may do about it."""

import pytest

from surefoot.api.errors import STATUS
from surefoot.api.service import Limits
from surefoot.backends.fake_backend import FakeBackend
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.scheduling.limits import SchedulerLimits
from surefoot.wiring.fake_service import FAKE_TEXTS
from surefoot_client import (
    ERRORS_BY_CODE,
    AggregationNotDefined,
    BodyTooLarge,
    DeadlineExceeded,
    Forbidden,
    GeneratorNotFound,
    GroupTooLarge,
    InvalidRequest,
    ModelNotFound,
    NotReady,
    RequestTimeout,
    SamplerUnavailable,
    ScoreItem,
    Unauthorized,
    WrongModelKind,
)

PROBLEM = "2 + 3?"
ITEM = ScoreItem(PROBLEM, steps=["2 + 3 = 5", "The answer is 5."])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"model": "other"}, ModelNotFound),
        ({"model": "raw", "aggregation": "prod"}, AggregationNotDefined),
        ({"aggregation": "median"}, InvalidRequest),
    ],
)
async def test_a_refused_score_is_its_class(client, options, error) -> None:
    with pytest.raises(error) as raised:
        await client.score([ITEM], **options)
    assert raised.value.param == next(reversed(options))


async def test_a_model_of_the_wrong_kind_is_its_class(client) -> None:
    with pytest.raises(WrongModelKind):
        await client.rerank(PROBLEM, FAKE_TEXTS, model="orm")


async def test_an_unknown_generator_is_its_class(client) -> None:
    with pytest.raises(GeneratorNotFound):
        await client.sample(PROBLEM, generator="other")


async def test_a_sampler_that_is_down_says_when_to_come_back(connect) -> None:
    sampler = FakeSampler(["a"])
    sampler.fails_with = "down"
    with pytest.raises(SamplerUnavailable) as raised:
        await (await connect(sampler=sampler)).sample(PROBLEM)
    assert (raised.value.retryable, raised.value.retry_after_s) == (True, 1.0)


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"loads": False}, NotReady),
        ({"queue": SchedulerLimits(max_queue_items=1)}, GroupTooLarge),
        ({"limits": Limits(max_body_bytes=20)}, BodyTooLarge),
        ({"limits": Limits(max_items=1)}, InvalidRequest),
    ],
)
async def test_a_limit_is_its_class(connect, parts, error) -> None:
    with pytest.raises(error):
        await (await connect(**parts)).score([ITEM, ITEM])


async def test_a_deadline_in_the_queue_is_the_items_error(connect) -> None:
    client = await connect(backend=FakeBackend(forward_delay_s=0.2), queue=SchedulerLimits(max_batch_items=1))
    first, late = (await client.score([ITEM, ITEM], timeout_s=0.1)).results
    assert (first.kind, type(late.error)) == ("process", DeadlineExceeded)


async def test_a_request_that_took_too_long_is_its_class(connect) -> None:
    backend = FakeBackend()
    backend.hold()
    client = await connect(backend=backend, limits=Limits(request_timeout_s=0.02))
    with pytest.raises(RequestTimeout):
        await client.score([ITEM])


async def test_a_service_with_keys_refuses_who_has_none(connect, keys_in_file, monkeypatch) -> None:
    monkeypatch.delenv("SUREFOOT_API_KEY", raising=False)
    client = await connect(keys=keys_in_file.ring())
    with pytest.raises(Unauthorized) as caught:
        await client.score([ITEM])
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("unauthorized", 401, False)


async def test_a_key_without_the_scope_is_forbidden(connect, keys_in_file, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_API_KEY", keys_in_file.new("alice", "score"))
    client = await connect(keys=keys_in_file.ring())
    with pytest.raises(Forbidden, match="scope sample") as caught:
        await client.sample(PROBLEM)
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("forbidden", 403, False)


async def test_the_key_of_the_environment_opens_a_service_with_keys(connect, keys_in_file, monkeypatch) -> None:
    monkeypatch.setenv("SUREFOOT_API_KEY", keys_in_file.new("alice", "score"))
    client = await connect(keys=keys_in_file.ring())
    assert (await client.score([ITEM])).model == "prm"


def test_the_client_knows_every_code_of_a_refusal() -> None:
    assert set(STATUS) <= set(ERRORS_BY_CODE)
