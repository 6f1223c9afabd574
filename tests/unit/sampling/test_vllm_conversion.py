"""What is asked of vLLM and what its output becomes, without starting an engine."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from surefoot.domain import SampledCandidate, SamplingOptions
from surefoot.sampling.life import PolicySource
from surefoot.sampling.seeds import candidate_seed
from surefoot.sampling.vllm_sampler import VllmOptions, VllmSampler, candidate_from, sampling_params

OPTIONS = SamplingOptions(n=4, temperature=0.7, top_p=0.9, top_k=20, max_tokens=64, stop=("\n\n",), seed=11)


def output(**changes: Any) -> SimpleNamespace:
    """A finished output of two tokens; each position has the drawn token's entry, and a likelier one."""
    fields = {
        "text": "It is 4.",
        "token_ids": [17, 3],
        "finish_reason": "stop",
        "logprobs": [
            {17: SimpleNamespace(logprob=-0.5), 99: SimpleNamespace(logprob=-0.1)},
            {3: SimpleNamespace(logprob=-1.25)},
        ],
    }
    return SimpleNamespace(**fields | changes)


def test_candidate_holds_what_the_engine_gave() -> None:
    assert candidate_from(2, output(), with_logprobs=True) == SampledCandidate(
        index=2,
        text="It is 4.",
        token_ids=(17, 3),
        finish_reason="stop",
        cumulative_logprob=-1.75,
        logprobs=(-0.5, -1.25),
    )


def test_logprobs_are_given_on_request_only() -> None:
    assert candidate_from(0, output(), with_logprobs=False).logprobs is None


def test_candidate_that_ended_at_once_is_empty() -> None:
    empty = candidate_from(0, output(text="", token_ids=[], logprobs=[]), with_logprobs=True)
    assert (empty.token_ids, empty.logprobs, empty.cumulative_logprob) == ((), (), 0)


def test_fewer_logprobs_than_tokens_are_never_passed_on() -> None:
    with pytest.raises(ValueError, match="shorter"):
        candidate_from(0, output(logprobs=[{17: SimpleNamespace(logprob=-0.5)}]), with_logprobs=True)


def test_drawn_token_without_a_logprob_is_never_passed_on() -> None:
    with pytest.raises(KeyError):
        candidate_from(0, output(token_ids=[17, 4]), with_logprobs=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("n", 1), ("temperature", 0.7), ("top_p", 0.9), ("top_k", 20), ("max_tokens", 64), ("stop", ["\n\n"])],
)
def test_options_become_vllms_parameters(name: str, value: object) -> None:
    assert getattr(sampling_params(OPTIONS, 0), name) == value


def test_each_candidate_is_seeded_by_itself() -> None:
    seeds = [sampling_params(OPTIONS, index).seed for index in range(3)]
    assert seeds == [candidate_seed(11, index) for index in range(3)]


def test_no_seed_stays_no_seed() -> None:
    assert sampling_params(replace(OPTIONS, seed=None), 3).seed is None


def test_no_top_k_means_all_tokens() -> None:
    assert sampling_params(replace(OPTIONS, top_k=None), 0).top_k == 0


def test_no_stop_strings_means_none() -> None:
    assert sampling_params(replace(OPTIONS, stop=()), 0).stop == []


def test_drawn_tokens_logprob_is_always_asked_for() -> None:
    assert sampling_params(OPTIONS, 0).logprobs == 0


def test_only_the_finished_output_is_sent_over() -> None:
    from vllm.sampling_params import RequestOutputKind

    assert sampling_params(OPTIONS, 0).output_kind is RequestOutputKind.FINAL_ONLY


def test_greedy_is_vllms_greedy() -> None:
    from vllm.sampling_params import SamplingType

    assert sampling_params(replace(OPTIONS, temperature=0.0), 0).sampling_type is SamplingType.GREEDY


def test_sampler_is_idle_until_used(tmp_path) -> None:
    sampler = VllmSampler("policy", lambda: PolicySource(tmp_path, "x"), VllmOptions())
    assert (sampler.state().state, sampler.state().engine, sampler.fingerprint) == ("idle", "vllm", None)
