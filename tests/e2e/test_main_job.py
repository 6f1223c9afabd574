"""Sampling with vLLM, scoring and ranking through the client, as the demo does."""

import math

from surefoot_client import SurefootClient

PROBLEM = "A farmer has 3 baskets with 12 apples each. He sells 10 apples. How many apples does he have left?"


def test_the_embedded_models_are_trained(client: SurefootClient) -> None:
    by_name = {model.id: model for model in client.models().models}
    assert {"prm", "orm"} <= set(by_name)
    assert all((model.trained, model.notice) == (True, None) for model in by_name.values())


def test_the_sampler_is_vllm(client: SurefootClient) -> None:
    assert client.ready().generators["default"].engine == "vllm"


def test_sampling_gives_policy_tokens_and_their_logprobs(client: SurefootClient) -> None:
    sampled = client.sample(PROBLEM, n=4, max_tokens=48, seed=7, logprobs=True)
    assert [candidate.index for candidate in sampled.candidates] == [0, 1, 2, 3]
    assert sampled.prompt_token_ids
    for candidate in sampled.candidates:
        assert len(candidate.token_ids) == len(candidate.logprobs or ()) == candidate.num_tokens
        assert math.isclose(sum(candidate.logprobs or ()), candidate.cumulative_logprob or 0.0, rel_tol=1e-6)
        assert all(value <= 0 for value in candidate.logprobs or ())


def test_a_seed_repeats_its_candidates(client: SurefootClient) -> None:
    first, second = (client.sample(PROBLEM, n=2, max_tokens=24, seed=11) for _ in range(2))
    assert [c.token_ids for c in first.candidates] == [c.token_ids for c in second.candidates]


def test_many_seeded_candidates_of_a_long_prompt_leave_the_engine_alive(client: SurefootClient) -> None:
    """More prompt tokens at once than vLLM takes in one step, which it must not split on a CPU."""
    sampled = client.sample(" ".join([PROBLEM] * 8), n=24, max_tokens=2, seed=3)
    assert len(sampled.candidates) == 24
    assert client.sample(PROBLEM, n=1, max_tokens=2, seed=3).candidates


def test_best_of_n_scores_every_step_and_picks_the_highest(client: SurefootClient) -> None:
    found = client.best_of_n(PROBLEM, sampling={"n": 8, "max_tokens": 96, "seed": 1}, ranking={"strategy": "process"})
    assert len(found.candidates) == len(found.ranking.results) == 8
    scores = [result.relevance_score for result in found.ranking.results if result.relevance_score is not None]
    assert scores == sorted(scores, reverse=True)
    assert found.best == found.ranking.results[0].index
    best = found.ranking.best_result
    assert best is not None
    assert [found.text[slice(*step.span)] for step in best.steps] == list(found.candidates[found.best].steps)


def test_every_strategy_ranks_real_candidates(client: SurefootClient) -> None:
    candidates = [
        "3 * 12 = 36\n36 - 10 = 26\nThe answer is 26.",
        "36 - 10 = 25\nThe answer is 25.",
        "It is \\boxed{26}.",
    ]
    for strategy in ("process", "outcome", "majority", "process_weighted", "outcome_weighted", "process_outcome"):
        ranking = client.rerank(PROBLEM, candidates, strategy=strategy)
        assert sorted(result.index for result in ranking.results) == [0, 1, 2], strategy
        assert ranking.best is not None, strategy


def test_majority_groups_equal_answers_however_they_are_written(client: SurefootClient) -> None:
    candidates = [
        "The answer is 1/2",
        "The answer is 2",
        "So it is 0.5",
        "We get \\boxed{\\frac{1}{2}}",
        "The answer is 2",
    ]
    ranking = client.rerank("Half of one?", candidates, strategy="majority")
    assert ranking.votes[0].indices == (0, 2, 3)
    assert ranking.best == 0


def test_metrics_tell_of_the_work(client: SurefootClient, http) -> None:
    client.score([{"problem": PROBLEM, "steps": ["3 * 12 = 36"]}])
    text = http.get("/metrics").text
    for name in (
        "requests_total",
        "request_seconds_bucket",
        "queue_seconds_bucket",
        "batch_items_bucket",
        "batch_tokens_bucket",
        "prompt_tokens_total",
        "sampled_tokens_total",
    ):
        assert f"surefoot_{name}{{" in text, name
