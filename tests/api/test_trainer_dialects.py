"""What OpenRLHF, slime and openr post, in the shapes that their own code builds, and the native scores they read."""

import httpx
import pytest

from surefoot.backends.fake_backend import FakeBackend
from surefoot.profiles import load_profile

PROBLEM = "2 + 3?"
SOLUTION = "2 + 3 = 5.\nThe answer is 5."
USER = f"<|im_start|>user\n{PROBLEM}<|im_end|>\n<|im_start|>assistant\n"


async def native(api, model="prm", **item) -> dict:
    item = item or {"solution": SOLUTION}
    return (await api.post("/score", {"model": model, "items": [{"problem": PROBLEM, **item}]}))["results"][0]


async def refused(api, path, body) -> str:
    response = await api.http.post(path, json=body)
    assert (response.status_code, set(response.json())) == (422, {"detail"}), response.text
    return response.json()["detail"]


@pytest.mark.parametrize(
    ("prompt", "query"),
    [
        (PROBLEM, PROBLEM + SOLUTION),
        (PROBLEM, f"<s> {PROBLEM}{SOLUTION}</s>"),
        (PROBLEM, f"<pad><pad><s>{PROBLEM}{SOLUTION}</s><pad>"),
        (USER, f"{USER}{SOLUTION}<|im_end|>"),
        (USER, f"<|endoftext|>{USER}{SOLUTION}<|im_end|>\n<|endoftext|>"),
    ],
)
async def test_openrlhf_gets_the_native_score_of_what_follows_the_prompt(api, prompt, query) -> None:
    answer = await api.post("/get_reward", {"query": [query], "prompts": [prompt], "labels": ["5"]})
    expected = await native(api)
    assert answer["rewards"] == answer["scores"] == [expected["score"]]
    lowest = min(step["score"] for step in expected["steps"])
    assert answer["extra_logs"] == {"num_steps": [len(expected["steps"])], "min_step_score": [lowest]}


async def test_openrlhf_without_prompts_is_read_by_its_turns(api) -> None:
    answer = await api.post("/get_reward", {"query": [f"{USER}{SOLUTION}<|im_end|>"]})
    assert answer["rewards"] == [(await native(api))["score"]]


async def test_openrlhf_names_a_model_in_its_url(api) -> None:
    body = {"query": [PROBLEM + SOLUTION], "prompts": [PROBLEM], "labels": [None]}
    answer = await api.post("/get_reward?model=reward", body)
    assert (answer["rewards"], answer["extra_logs"]) == ([(await native(api, "reward"))["score"]], {})


async def test_openrlhf_gets_nothing_for_an_empty_shard(api) -> None:
    answer = await api.post("/get_reward", {"query": [], "prompts": [], "labels": []})
    assert answer == {"rewards": [], "scores": [], "extra_logs": {}}


async def test_openrlhf_is_told_which_prompt_is_not_there(api) -> None:
    bodies = {"query": [PROBLEM + SOLUTION, "cut off" + SOLUTION], "prompts": [PROBLEM, PROBLEM]}
    assert (await refused(api, "/get_reward", bodies)).startswith("query[1]: ")


async def test_openrlhfs_prompt_behind_other_text_is_no_prompt(api) -> None:
    await refused(api, "/get_reward", {"query": [f"Hello. {PROBLEM}{SOLUTION}"], "prompts": [PROBLEM]})


async def test_openrlhfs_lists_must_line_up(api) -> None:
    assert "give one for each" in await refused(api, "/get_reward", {"query": [PROBLEM], "prompts": []})


async def test_openrlhf_gets_no_reward_where_one_sample_fails(api) -> None:
    body = {"query": [PROBLEM + SOLUTION, PROBLEM], "prompts": [PROBLEM, PROBLEM]}
    assert (await refused(api, "/get_reward", body)).startswith("query[1]: ")


@pytest.mark.parametrize("prompt", [PROBLEM, USER, [{"role": "user", "content": PROBLEM}]])
@pytest.mark.parametrize("response", [SOLUTION, f"{SOLUTION}<|im_end|>"])
async def test_slimes_body_is_the_native_score(api, prompt, response) -> None:
    answer = await api.http.post("/slime/reward", json={"prompt": prompt, "response": response, "label": "5"})
    assert (answer.status_code, answer.json()) == (200, (await native(api))["score"])


async def test_slime_names_a_model_in_its_url(api) -> None:
    body = {"prompt": PROBLEM, "response": SOLUTION, "label": None}
    assert await api.post("/slime/reward?model=orm", body) == (await native(api, "orm"))["score"]


async def test_a_template_that_is_not_known_is_refused(api) -> None:
    body = {"prompt": f"[INST] {PROBLEM} [/INST]", "response": SOLUTION, "label": None}
    assert "chat template" in await refused(api, "/slime/reward", body)


@pytest.fixture
async def tagged(serve):
    """The families that openr serves, with the tags that its clients write."""
    profiles = {"qwen": load_profile("qwen2.5-math-prm"), "shepherd": load_profile("math-shepherd")}
    return await serve(profiles=profiles, backend=FakeBackend())


async def openr_values(http: httpx.AsyncClient, model: str, inputs) -> list:
    """What openr's `_value_inference_fastchat` posts with a controller's address of `…/openr`, and what it reads."""
    found = await http.post("/openr/get_worker_address", json={"model": model})
    address = found.json()["address"]
    assert address.startswith("http://test/openr/")
    headers = {"User-Agent": "FastChat Client"}
    answer = await http.post(address + "/worker_value_inference", headers=headers, json={"input_str": inputs})
    assert answer.status_code == 200, answer.text
    return answer.json()["value"]


async def test_openr_reads_qwens_native_step_scores(tagged) -> None:
    text = f"{PROBLEM} &&&&& 2 + 3 = 5. <extra_0>It is 5. <extra_0>"
    expected = [step["score"] for step in (await native(tagged, "qwen", steps=["2 + 3 = 5. ", "It is 5. "]))["steps"]]
    assert await openr_values(tagged.http, "qwen", [text, text]) == [expected, expected]


async def test_openr_reads_math_shepherds_native_step_scores(tagged) -> None:
    text = f"{PROBLEM} Step 1: 2 + 3 = 5. ки\nStep 2: It is 5. ки"
    steps = ["Step 1: 2 + 3 = 5.", "Step 2: It is 5."]
    expected = [step["score"] for step in (await native(tagged, "shepherd", steps=steps))["steps"]]
    assert await openr_values(tagged.http, "shepherd", text) == expected


async def test_openrs_worker_without_a_model_is_the_first_ones(tagged) -> None:
    body = {"input_str": f"{PROBLEM}&&&&&It is 5.<extra_0>"}
    first = await tagged.post("/openr/worker_value_inference", body)
    assert first == await tagged.post("/openr/qwen/worker_value_inference", body)


async def test_an_outcome_model_gives_openr_one_value(api) -> None:
    [[value]] = await openr_values(api.http, "orm", [f"{PROBLEM} &&&&& {SOLUTION}"])
    assert value == (await native(api, "orm"))["score"]


async def test_openr_finds_no_worker_of_another_model(api) -> None:
    response = await api.http.post("/openr/get_worker_address", json={"model": "other"})
    assert (response.status_code, response.json()["address"]) == (404, "")


async def test_openr_is_told_that_an_answer_has_no_beginning(api) -> None:
    response = await api.http.post("/openr/worker_value_inference", json={"input_str": ["no answer here"]})
    assert (response.status_code, response.json()["error_code"]) == (422, 422)
    assert response.json()["text"].startswith("input_str[0]: ")
