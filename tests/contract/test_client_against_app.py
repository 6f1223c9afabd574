"""What the server sends is what the client reads: every method against the app in process."""

import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.errors import CheckpointMissing
from surefoot.sampling.fake_sampler import FakeSampler
from surefoot.wiring.fake_service import FAKE_TEXTS
from surefoot_client import (
    AdapterNotConfigured,
    EarlyStop,
    EmptyProblem,
    InputTooLong,
    ItemFailure,
    NoSteps,
    ScoreItem,
)

PROBLEM = "2 + 3?"
ITEM = ScoreItem(PROBLEM, steps=["2 + 3 = 5", "The answer is 5."])


async def test_scores_are_read_whole(client) -> None:
    response = await client.score([ITEM])
    [result] = response.results
    assert (response.model, response.scale, result.kind) == ("prm", "probability", "process")
    assert [result.text[slice(*step.span)] for step in result.steps] == list(ITEM.steps)
    assert sum(result.first_error_probabilities) + result.no_error_probability == pytest.approx(1)


async def test_every_option_of_score_is_understood(client) -> None:
    response = await client.score(
        [ITEM],
        model="prm",
        aggregation="min",
        threshold=1.5,
        timeout_s=30,
        priority="bulk",
        trace=True,
        checks=["arithmetic"],
        combine_checks=True,
    )
    [result] = response.results
    assert (result.score, result.first_error) == (result.aggregations["min"], 0)


async def test_checks_are_read_whole(client) -> None:
    wrong = ScoreItem(PROBLEM, steps=["2 + 3 = 6", "The answer is 6."])
    [result] = (await client.score([wrong], checks=["arithmetic"], combine_checks=True)).results
    [failed] = result.steps[0].checks[0].detail.failed
    assert (wrong.steps[0][slice(*failed.span)], failed.expected, failed.found) == ("2 + 3 = 6", "5", "6")
    assert result.checked.step_scores == pytest.approx((result.steps[0].score * 0.01, result.steps[1].score))


@pytest.mark.parametrize(
    "item",
    [
        ScoreItem(PROBLEM, solution="2 + 3 = 5\nThe answer is 5."),
        ScoreItem(
            messages=[
                {"role": "user", "content": PROBLEM},
                {"role": "assistant", "content": "2 + 3 = 5\nThe answer is 5."},
            ]
        ),
        {"problem": PROBLEM, "steps": list(ITEM.steps)},
    ],
)
async def test_every_form_of_an_item_is_understood(client, item) -> None:
    given, expected = (await client.score([item, ITEM])).results
    assert (given.score, given.text) == (expected.score, expected.text)


async def test_outcome_scores_are_read(client) -> None:
    [result] = (await client.score([ITEM], model="reward", trace=True)).results
    assert (result.kind, result.raw, result.trace[-1]) == ("outcome", (result.score,), result.score)


async def test_usage_and_timing_are_read(client) -> None:
    response = await client.score([ITEM, ITEM])
    assert response.usage.prompt_tokens == 2 * response.usage.unique_tokens
    assert response.timing.total_s > 0


async def test_failed_items_stand_in_their_place(client) -> None:
    response = await client.score([ITEM, ScoreItem("", steps=["a"], id="bad"), ITEM])
    failure = response.results[1]
    assert isinstance(failure, ItemFailure)
    assert (failure.index, failure.id, type(failure.error)) == (1, "bad", EmptyProblem)


async def test_an_items_error_is_its_class(connect) -> None:
    client = await connect(backend=FakeBackend(max_input_tokens=700))
    response = await client.score([ScoreItem("p", steps=["x" * 900]), ScoreItem("p", steps=[])])
    assert [type(failure.error) for failure in response.results] == [InputTooLong, NoSteps]


async def test_a_ranking_is_read_whole(client) -> None:
    ranking = await client.rerank(PROBLEM, FAKE_TEXTS, strategy="process_outcome", return_documents=True)
    assert ranking.models == {"process": "prm", "outcome": "orm"}
    assert ranking.best_result.document == FAKE_TEXTS[ranking.best]
    assert [vote.count for vote in ranking.votes] == [2, 1]
    assert ranking.agreement == pytest.approx(2 / 3)


async def test_every_option_of_rerank_is_understood(client) -> None:
    ranking = await client.rerank(
        PROBLEM,
        [{"text": text, "id": str(place), "answer": "5"} for place, text in enumerate(FAKE_TEXTS)],
        strategy="process_weighted",
        model="prm",
        outcome_model="reward",
        aggregation="mean",
        threshold=0.4,
        top_n=2,
        return_documents=False,
        tie_seed=3,
        abstain_below=0.1,
        timeout_s=30,
        priority="bulk",
    )
    assert (len(ranking.results), ranking.answer) == (2, "5")


async def test_failed_candidates_carry_their_error(client) -> None:
    ranking = await client.rerank(PROBLEM, ["", FAKE_TEXTS[0]])
    assert type(ranking.results[-1].error) is NoSteps


async def test_groups_are_read_in_order(client) -> None:
    groups = [{"problem": PROBLEM, "candidates": list(FAKE_TEXTS)}, {"problem": "", "candidates": ["a"]}]
    ranked, failed = await client.rerank_groups(groups)
    assert ranked.results == (await client.rerank(PROBLEM, FAKE_TEXTS)).results
    assert type(failed.error) is EmptyProblem


async def test_samples_are_read_whole(client) -> None:
    response = await client.sample(
        PROBLEM, n=3, temperature=0.7, top_p=0.9, top_k=50, max_tokens=64, stop=["\n\n"], seed=1, logprobs=True
    )
    assert [candidate.text for candidate in response.candidates] == list(FAKE_TEXTS)
    assert all(len(candidate.logprobs) == candidate.num_tokens for candidate in response.candidates)
    assert (response.generator, response.fingerprint) == ("default", "fake")


async def test_a_conversation_is_sampled(client) -> None:
    response = await client.sample([{"role": "user", "content": PROBLEM}], generator="default")
    assert response.prompt_token_ids == tuple(map(ord, PROBLEM))


async def test_a_best_of_n_is_read_whole(client) -> None:
    found = await client.best_of_n(PROBLEM, sampling={"n": 3, "seed": 1}, ranking={"strategy": "outcome"})
    assert (found.text, found.answer) == (
        found.candidates[found.best].text,
        found.ranking.best_result.answer,
    )


async def test_what_an_early_stop_saved_is_read(connect) -> None:
    client = await connect(sampler=FakeSampler(["The answer is 5."]))
    found = await client.best_of_n(
        PROBLEM, sampling={"n": 16}, ranking={"strategy": "majority"}, early_stop=EarlyStop(0.6, 9)
    )
    assert (found.early_stop.stopped, found.early_stop.samples_drawn, found.early_stop.samples_saved) == (True, 9, 7)


async def test_a_selection_is_read_whole(client) -> None:
    item = {"problem": PROBLEM, "answer": "5", "candidates": [*FAKE_TEXTS, ""]}
    selected, failed = (await client.select([item, item | {"problem": ""}], top_k=2, wrong_fraction=0.5)).results
    scores = {ranked.index: ranked.score for ranked in (await client.rerank(PROBLEM, FAKE_TEXTS)).results}
    assert [(choice.is_correct, choice.score) for choice in selected.chosen] == [
        (False, scores[1]),
        (True, max(scores[0], scores[2])),
    ]
    assert [(lost.index, type(lost.error)) for lost in selected.failed] == [(3, NoSteps)]
    assert type(failed.error) is EmptyProblem


async def test_every_option_of_select_is_understood(client) -> None:
    item = {"problem": PROBLEM, "answer": "5", "candidates": [{"text": FAKE_TEXTS[1], "id": "c"}]}
    options = {"wrong_fraction": 1.0, "aggregation": "min", "timeout_s": 30, "priority": "bulk"}
    [result] = (await client.select([item], top_k=1, model="prm", **options)).raise_for_failures()
    assert (result.chosen[0].id, result.chosen[0].reason) == ("c", "convincing_wrong_answer")


async def test_the_catalog_is_read_whole(client) -> None:
    catalog = await client.models()
    assert [(model.id, model.kind) for model in catalog.models][:2] == [("prm", "process"), ("orm", "outcome")]
    assert catalog.models[0].fingerprint == (await client.score([ITEM])).fingerprint
    assert [generator.id for generator in catalog.generators] == ["default"]


async def test_a_reload_is_read(connect) -> None:
    adapters = {"prm": "first"}
    client = await connect(adapters=adapters, admin_routes=True)
    adapters["prm"] = "second"
    done = await client.reload("prm")
    assert (done.name, done.changed, done.previous_fingerprint) == ("prm", True, "fake-embedded-prm@first")
    assert (await client.score([ITEM])).fingerprint == done.fingerprint


async def test_a_model_without_an_adapter_is_its_class(connect) -> None:
    with pytest.raises(AdapterNotConfigured):
        await (await connect(admin_routes=True)).reload("prm")


async def test_health_and_ready_are_read(client) -> None:
    state = await client.ready()
    assert (await client.health(), state.ready, state.generators["default"].state) == (True, True, "ready")


async def test_not_ready_is_an_answer_of_ready(connect) -> None:
    state = await (await connect(broken={"orm": CheckpointMissing("none")})).ready()
    assert (state.ready, state.models["orm"]) == (False, "failed")
