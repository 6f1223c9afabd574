"""Other people's clients on a real port: `cohere`, langchain's Cohere and Jina rerankers, `huggingface_hub`, `openai`.

Each needs another URL and a model's name, and nothing else.
"""

import json

import cohere
import httpx
import openai
import pytest
from cohere.core.api_error import ApiError
from cohere.core.request_options import RequestOptions
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from langchain_cohere import CohereRerank
from langchain_community.document_compressors import jina_rerank
from langchain_core.documents import Document

PROBLEM = "2 + 3?"
SOLUTIONS = ["2 + 3 = 6.\nThe answer is 6.", "2 + 3 = 5.\nThe answer is 5.", "Hm."]
ONE_TRY = RequestOptions(max_retries=0)


@pytest.fixture
def server(serve_http):
    return serve_http()


@pytest.fixture
def expected(server) -> list[tuple[int, float]]:
    """Index and score by descending native score."""
    items = [{"problem": PROBLEM, "solution": solution} for solution in SOLUTIONS]
    answer = httpx.post(f"{server.url}/score", json={"model": "prm", "items": items}).json()
    scores = [(result["index"], result["score"]) for result in answer["results"]]
    return sorted(scores, key=lambda pair: -pair[1])


def pairs(response) -> list[tuple[int, float]]:
    return [(result.index, result.relevance_score) for result in response.results]


@pytest.mark.parametrize("root", ["/cohere", ""])
def test_coheres_second_client_reads_the_order(server, expected, root) -> None:
    client = cohere.ClientV2("key", base_url=server.url + root)
    assert pairs(client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS)) == expected


def test_coheres_second_client_reads_the_meta_data(server) -> None:
    response = cohere.ClientV2("key", base_url=f"{server.url}/cohere").rerank(
        model="prm", query=PROBLEM, documents=SOLUTIONS, top_n=2
    )
    assert (len(response.results), response.meta.api_version.version) == (2, "2")
    assert (response.meta.billed_units.search_units, bool(response.id)) == (1, True)


def test_coheres_first_client_reads_the_documents(server, expected) -> None:
    client = cohere.Client("key", base_url=f"{server.url}/cohere")
    documents = [{"text": SOLUTIONS[0]}, *SOLUTIONS[1:]]
    response = client.rerank(model="prm", query=PROBLEM, documents=documents, return_documents=True)
    assert [result.document.text for result in response.results] == [SOLUTIONS[index] for index, _ in expected]


def test_coheres_client_raises_that_a_model_is_not_there(server) -> None:
    client = cohere.ClientV2("key", base_url=f"{server.url}/cohere")
    with pytest.raises(cohere.NotFoundError) as caught:
        client.rerank(model="rerank-v3.5", query=PROBLEM, documents=SOLUTIONS, request_options=ONE_TRY)
    assert "no such model" in json.dumps(caught.value.body)


def test_coheres_client_raises_what_is_wrong_with_a_field(server) -> None:
    client = cohere.ClientV2("key", base_url=f"{server.url}/cohere")
    with pytest.raises(cohere.UnprocessableEntityError) as caught:
        client.rerank(model="prm", query=PROBLEM, documents=["It is 5.", " "], request_options=ONE_TRY)
    assert "documents[1]" in json.dumps(caught.value.body)


def test_coheres_client_raises_that_a_key_is_wanted(serve_http, keys_in_file) -> None:
    server = serve_http(keys=keys_in_file.ring())
    with pytest.raises((cohere.UnauthorizedError, ApiError)) as caught:
        cohere.ClientV2("wrong", base_url=f"{server.url}/cohere").rerank(
            model="prm", query=PROBLEM, documents=SOLUTIONS, request_options=ONE_TRY
        )
    assert caught.value.status_code == 401


def test_coheres_client_sends_a_key(serve_http, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    server = serve_http(keys=keys_in_file.ring())
    client = cohere.ClientV2(key, base_url=f"{server.url}/cohere")
    assert len(client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS).results) == len(SOLUTIONS)


def compressed(reranker) -> list[tuple[str, float]]:
    documents = [Document(solution) for solution in SOLUTIONS]
    found = reranker.compress_documents(documents, PROBLEM)
    return [(document.page_content, document.metadata["relevance_score"]) for document in found]


def test_langchains_cohere_reranker_reads_the_order(server, expected) -> None:
    reranker = CohereRerank(cohere_api_key="key", base_url=f"{server.url}/cohere", model="prm", top_n=3)
    assert compressed(reranker) == [(SOLUTIONS[index], score) for index, score in expected]


def test_langchains_jina_reranker_reads_the_order(server, expected, monkeypatch) -> None:
    monkeypatch.setattr(jina_rerank, "JINA_API_URL", f"{server.url}/jina/v1/rerank")
    reranker = jina_rerank.JinaRerank(jina_api_key="key", model="prm", top_n=2)
    assert compressed(reranker) == [(SOLUTIONS[index], score) for index, score in expected[:2]]


def test_langchains_jina_reranker_raises_that_a_model_is_not_there(server, monkeypatch) -> None:
    monkeypatch.setattr(jina_rerank, "JINA_API_URL", f"{server.url}/jina/v1/rerank")
    with pytest.raises(RuntimeError, match="no such model"):
        compressed(jina_rerank.JinaRerank(jina_api_key="key"))


def test_the_hubs_client_reads_a_prediction(server, expected) -> None:
    index, score = expected[0]
    text = f"<|im_start|>user\n{PROBLEM}<|im_end|>\n<|im_start|>assistant\n{SOLUTIONS[index]}<|im_end|>"
    element = InferenceClient(model=f"{server.url}/predict").text_classification(text)
    read = element[0] if isinstance(element, list) else element
    assert (read.label, read.score) == ("LABEL_0", score)


def test_the_hubs_client_raises_what_is_wrong(server) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        InferenceClient(model=f"{server.url}/predict").text_classification("It is 5.")
    assert caught.value.response.json()["error_type"] == "validation"


@pytest.mark.parametrize("stream", [False, True])
def test_openais_client_is_told_what_all_samples_cost(server, stream) -> None:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
    asked = {"model": "surefoot", "messages": [{"role": "user", "content": PROBLEM}], "extra_body": {"n_candidates": 3}}
    drawn = httpx.post(f"{server.url}/sample", json={"problem": PROBLEM, "n": 3}).json()["usage"]["completion_tokens"]
    if stream:
        chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
        usage = chunks[-1].usage
    else:
        usage = client.chat.completions.create(**asked).usage
    assert usage.completion_tokens == drawn
