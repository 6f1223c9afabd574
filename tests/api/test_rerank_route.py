"""What POST /rerank promises: order, relevance, votes, ties, abstention and failures."""

import math

import pytest

PROBLEM = "Ann has 2 apples and buys 3. How many has she?"
CANDIDATES = ["2 + 3 = 5.\nThe answer is 5.", "2 * 3 = 6.\nThe answer is 6.", "So 5.\nThe answer is 5.0."]


def group(**fields):
    return {"problem": PROBLEM, "candidates": CANDIDATES} | fields


def by_index(answer) -> list[dict]:
    return sorted(answer["results"], key=lambda result: result["index"])


async def scores_of(api, model, **fields) -> list[float]:
    items = [{"problem": PROBLEM, "solution": candidate} for candidate in CANDIDATES]
    answer = await api.post("/score", {"items": items, "model": model} | fields)
    return [result["score"] for result in answer["results"]]


def order_of(values) -> list[int]:
    return sorted(range(len(values)), key=lambda index: -values[index])


async def test_process_is_the_default_strategy(api) -> None:
    assert (await api.post("/rerank", group()))["strategy"] == "process"


@pytest.mark.parametrize(("strategy", "model"), [("process", "prm"), ("outcome", "orm")])
async def test_score_strategies_rank_by_their_models_score(api, strategy, model) -> None:
    scores = await scores_of(api, model)
    answer = await api.post("/rerank", group(strategy=strategy))
    assert [result["index"] for result in answer["results"]] == order_of(scores)
    assert [result["relevance_score"] for result in by_index(answer)] == scores


async def test_process_outcome_ranks_by_the_product(api) -> None:
    process, outcome = await scores_of(api, "prm"), await scores_of(api, "orm")
    answer = await api.post("/rerank", group(strategy="process_outcome"))
    products = [first * second for first, second in zip(process, outcome, strict=True)]
    assert [result["relevance_score"] for result in by_index(answer)] == pytest.approx(products)


@pytest.mark.parametrize(("strategy", "model"), [("process_weighted", "prm"), ("outcome_weighted", "orm")])
async def test_weighted_votes_weigh_an_answer_by_its_scores(api, strategy, model) -> None:
    first, second, third = await scores_of(api, model)
    answer = await api.post("/rerank", group(strategy=strategy))
    weights = {tuple(vote["indices"]): vote["weight"] for vote in answer["votes"]}
    assert weights == {(0, 2): pytest.approx(first + third), (1,): pytest.approx(second)}


async def test_a_vote_gives_each_candidate_its_answers_share(api) -> None:
    answer = await api.post("/rerank", group(strategy="majority"))
    assert [result["relevance_score"] for result in by_index(answer)] == pytest.approx([2 / 3, 1 / 3, 2 / 3])


async def test_majority_picks_the_first_candidate_of_the_winning_answer(api) -> None:
    assert (await api.post("/rerank", group(strategy="majority")))["best"] == 0


async def test_a_weighted_vote_picks_the_best_scored_of_the_winning_answer(api) -> None:
    scores = await scores_of(api, "prm")
    answer = await api.post("/rerank", group(strategy="process_weighted"))
    winners = max(answer["votes"], key=lambda vote: vote["weight"])["indices"]
    assert answer["best"] == max(winners, key=lambda index: scores[index])


async def test_majority_needs_no_model(api) -> None:
    answer = await api.post("/rerank", group(strategy="majority"))
    assert (answer["models"], answer["fingerprints"], answer["usage"]["prompt_tokens"]) == ({}, {}, 0)


async def test_equivalent_answers_are_one_vote(api) -> None:
    candidates = ["The answer is 1/2.", "The answer is 0.5.", r"The answer is \boxed{\frac{1}{2}}.", "The answer is 2."]
    votes = (await api.post("/rerank", group(strategy="majority", candidates=candidates)))["votes"]
    assert [(vote["count"], vote["indices"]) for vote in votes] == [(3, [0, 1, 2]), (1, [3])]


async def test_answers_are_extracted(api) -> None:
    candidates = [r"so \boxed{7}", "sums\n#### 8", "The answer is 9.", "it is 3 or 10", "nothing"]
    answer = await api.post("/rerank", group(candidates=candidates))
    assert [result["answer"] for result in by_index(answer)] == ["7", "8", "9", "10", None]


async def test_no_answer_is_no_vote(api) -> None:
    answer = await api.post("/rerank", group(strategy="majority", candidates=["nothing", "The answer is 5."]))
    assert [vote["indices"] for vote in answer["votes"]] == [[1]]


async def test_nothing_is_picked_where_no_candidate_votes(api) -> None:
    answer = await api.post("/rerank", group(strategy="majority", candidates=["nothing", "none"]))
    assert (answer["best"], answer["answer"], answer["agreement"]) == (None, None, None)


async def test_a_given_answer_overrides_the_extracted_one(api) -> None:
    candidates = [{"text": "The answer is 5.", "answer": "6"}]
    assert (await api.post("/rerank", group(candidates=candidates)))["answer"] == "6"


async def test_agreement_is_the_share_of_the_most_common_answer(api) -> None:
    assert (await api.post("/rerank", group()))["agreement"] == pytest.approx(2 / 3)


async def test_the_answer_is_that_of_the_best(api) -> None:
    answer = await api.post("/rerank", group())
    assert answer["answer"] == by_index(answer)[answer["best"]]["answer"]


async def test_candidates_may_be_texts_objects_and_steps(api) -> None:
    candidates = [CANDIDATES[0], {"text": CANDIDATES[0]}, {"steps": CANDIDATES[0].split("\n")}]
    answer = await api.post("/rerank", group(candidates=candidates))
    assert len({result["score"] for result in answer["results"]}) == 1


async def test_ids_of_candidates_are_echoed(api) -> None:
    answer = await api.post("/rerank", group(candidates=[{"text": "It is 5.", "id": "x"}, "It is 6."]))
    assert [result.get("id") for result in by_index(answer)] == ["x", None]


async def test_query_and_documents_are_aliases(api) -> None:
    # Without a native field beside them these two are vLLM's.
    aliased = await api.post("/rerank", {"query": PROBLEM, "documents": CANDIDATES, "strategy": "process"})
    assert aliased["results"] == (await api.post("/rerank", group()))["results"]


async def test_a_conversation_may_stand_for_the_problem(api) -> None:
    messages = [{"role": "user", "content": PROBLEM}]
    answer = await api.post("/rerank", {"messages": messages, "candidates": CANDIDATES})
    assert answer["results"] == (await api.post("/rerank", group()))["results"]


async def test_equal_tops_are_a_tie_that_the_first_wins(api) -> None:
    answer = await api.post("/rerank", group(candidates=[CANDIDATES[0]] * 3))
    assert (answer["tie"], answer["best"]) == (True, 0)


async def test_a_tie_seed_decides_the_same_way_every_time(api) -> None:
    body = group(candidates=[CANDIDATES[0]] * 8, tie_seed=11)
    assert len({(await api.post("/rerank", body))["best"] for _ in range(3)}) == 1


async def test_tie_seeds_differ(api) -> None:
    picks = {
        (await api.post("/rerank", group(candidates=[CANDIDATES[0]] * 8, tie_seed=seed)))["best"] for seed in range(8)
    }
    assert len(picks) > 1


async def test_no_tie_without_equals(api) -> None:
    assert (await api.post("/rerank", group()))["tie"] is False


async def test_it_abstains_below_the_bound(api) -> None:
    top = (await api.post("/rerank", group()))["results"][0]["relevance_score"]
    answer = await api.post("/rerank", group(abstain_below=math.nextafter(top, 2)))
    assert (answer["best"], answer["answer"]) == (None, None)


async def test_it_does_not_abstain_at_the_bound(api) -> None:
    answer = await api.post("/rerank", group())
    top = answer["results"][0]["relevance_score"]
    assert (await api.post("/rerank", group(abstain_below=top)))["best"] == answer["best"]


async def test_it_abstains_from_a_weak_majority(api) -> None:
    assert (await api.post("/rerank", group(strategy="majority", abstain_below=0.7)))["best"] is None


async def test_top_n_cuts_the_results(api) -> None:
    whole = await api.post("/rerank", group())
    assert (await api.post("/rerank", group(top_n=2)))["results"] == whole["results"][:2]


async def test_top_n_does_not_cut_the_votes(api) -> None:
    votes = (await api.post("/rerank", group(top_n=1)))["votes"]
    assert sum(vote["count"] for vote in votes) == 3


async def test_documents_come_back_when_asked_for(api) -> None:
    answer = await api.post("/rerank", group(return_documents=True))
    assert [result["document"]["text"] for result in by_index(answer)] == CANDIDATES


async def test_documents_stay_away_by_default(api) -> None:
    assert all("document" not in result for result in (await api.post("/rerank", group()))["results"])


async def test_spans_of_steps_refer_to_the_document(api) -> None:
    answer = await api.post("/rerank", group(candidates=[{"steps": ["ein Schritt 🎉", "5"]}], return_documents=True))
    [result] = answer["results"]
    assert [result["document"]["text"][slice(*step["span"])] for step in result["steps"]] == ["ein Schritt 🎉", "5"]


async def test_first_errors_follow_the_threshold(api) -> None:
    answer = await api.post("/rerank", group(threshold=1.5))
    assert [result["first_error"] for result in answer["results"]] == [0, 0, 0]


async def test_scores_follow_the_aggregation(api) -> None:
    scores = await scores_of(api, "prm", aggregation="last")
    answer = await api.post("/rerank", group(aggregation="last"))
    assert [result["relevance_score"] for result in by_index(answer)] == scores


async def test_failed_candidates_stand_last_with_their_error(api) -> None:
    answer = await api.post("/rerank", group(candidates=["", CANDIDATES[0], "x" * 5000, CANDIDATES[1]]))
    assert [result["index"] for result in answer["results"][2:]] == [0, 2]
    assert [result["error"]["code"] for result in answer["results"][2:]] == ["no_steps", "input_too_long"]


async def test_failed_candidates_have_no_relevance(api) -> None:
    answer = await api.post("/rerank", group(candidates=["", CANDIDATES[0]]))
    assert answer["results"][-1]["relevance_score"] is None


async def test_failed_candidates_do_not_vote(api) -> None:
    long = "x" * 5000 + "\nThe answer is 6."
    answer = await api.post("/rerank", group(strategy="process_weighted", candidates=[long, CANDIDATES[0]]))
    assert [vote["indices"] for vote in answer["votes"]] == [[1]]


async def test_nothing_is_picked_where_every_candidate_failed(api) -> None:
    answer = await api.post("/rerank", group(candidates=["", " "]))
    assert (answer["best"], len(answer["results"])) == (None, 2)


async def test_an_empty_problem_is_the_groups_error(api) -> None:
    answer = await api.post("/rerank", group(problem=" "))
    assert (answer["error"]["code"], answer["results"], answer["best"]) == ("empty_problem", [], None)
