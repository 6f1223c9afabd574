"""Other people's clients on the embedded model: `cohere`, langchain on top of it, `huggingface_hub`, `openai`.

What each reads are the model's own scores. Their other habits are tested on the fakes, in tests/contract.
"""

from collections.abc import Iterator

import cohere
import openai
import pytest
from huggingface_hub import InferenceClient, close_session
from langchain_cohere import CohereRerank
from langchain_core.documents import Document

from surefoot_client import SurefootClient

PROBLEM = "Tom has 3 boxes with 4 pens each. He gives 5 pens away. How many pens are left?"
SOLUTIONS = [
    "3 * 4 = 12 pens.\n12 + 5 = 17 pens.\nThe answer is 17.",
    "3 * 4 = 12 pens.\n12 - 5 = 7 pens.\nThe answer is 7.",
    "He has 3 + 4 = 7 pens.\n7 - 5 = 2 pens.\nThe answer is 2.",
]
Scores = dict[str, float]


@pytest.fixture(scope="module")
def scores(server) -> Scores:
    with SurefootClient(server.url) as client:
        results = client.score([{"problem": PROBLEM, "solution": text} for text in SOLUTIONS]).raise_for_failures()
    return {text: result.score for text, result in zip(SOLUTIONS, results, strict=True)}


@pytest.fixture(autouse=True)
def _session() -> Iterator[None]:
    """The hub's client keeps a session for the whole process."""
    yield
    close_session()


def best_first(scores: Scores) -> list[tuple[str, float]]:
    return sorted(scores.items(), key=lambda pair: -pair[1])


def test_cohere(server, scores) -> None:
    with cohere.ClientV2("key", base_url=f"{server.url}/cohere") as client:
        response = client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS)
    assert [(SOLUTIONS[r.index], r.relevance_score) for r in response.results] == best_first(scores)


def test_langchains_cohere_reranker(server, scores) -> None:
    reranker = CohereRerank(cohere_api_key="key", base_url=f"{server.url}/cohere", model="prm", top_n=2)
    with reranker.client:
        found = reranker.compress_documents([Document(text) for text in SOLUTIONS], PROBLEM)
    assert [(each.page_content, each.metadata["relevance_score"]) for each in found] == best_first(scores)[:2]


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_the_hubs_client(server, scores, solution) -> None:
    text = f"<|im_start|>user\n{PROBLEM}<|im_end|>\n<|im_start|>assistant\n{solution}<|im_end|>"
    # One input is answered with one class, which this client unpacks though it says that it gives a list.
    found = InferenceClient(model=f"{server.url}/predict").text_classification(text)
    read = found[0] if isinstance(found, list) else found
    assert read.score == scores[solution]


def test_openai_reads_the_best_of_three_samples(server) -> None:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(
            model="surefoot",
            messages=[{"role": "user", "content": PROBLEM}],
            max_tokens=48,
            seed=3,
            extra_body={"n_candidates": 3, "strategy": "process"},
        )
    chosen = answer.choices[0].message.content
    with SurefootClient(server.url) as client:
        [result] = client.score([{"problem": PROBLEM, "solution": chosen}]).raise_for_failures()
    ranked = answer.model_extra["surefoot"]["results"]
    assert (answer.usage.completion_tokens > 0, len(ranked)) == (True, 3)
    assert ranked[0]["relevance_score"] == max(entry["relevance_score"] for entry in ranked) == result.score
