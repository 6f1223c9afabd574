"""Other people's clients on a real port: `cohere`, langchain's reranker on top of it, `huggingface_hub`, `openai`.

Each needs another URL and a model's name, and nothing else.
"""

import json
from collections.abc import Iterator

import cohere
import httpx
import openai
import pytest
from cohere.core.request_options import RequestOptions
from huggingface_hub import InferenceClient, close_session
from huggingface_hub.errors import HfHubHTTPError
from langchain_cohere import CohereRerank
from langchain_core.documents import Document

PROBLEM = "2 + 3?"
SOLUTIONS = ["2 + 3 = 6.\nThe answer is 6.", "2 + 3 = 5.\nThe answer is 5.", "Hm."]
ONE_TRY = RequestOptions(max_retries=0)


@pytest.fixture
def server(serve_http):
    return serve_http()


@pytest.fixture(autouse=True)
def _session() -> Iterator[None]:
    """The hub's client keeps a session for the whole process."""
    yield
    close_session()


@pytest.fixture
def expected(server) -> list[tuple[int, float]]:
    """Index and score by descending native score."""
    items = [{"problem": PROBLEM, "solution": solution} for solution in SOLUTIONS]
    answer = httpx.post(f"{server.url}/score", json={"model": "prm", "items": items}).json()
    scores = [(result["index"], result["score"]) for result in answer["results"]]
    return sorted(scores, key=lambda pair: -pair[1])


def pairs(response) -> list[tuple[int, float]]:
    return [(result.index, result.relevance_score) for result in response.results]


@pytest.fixture
def second_client(server) -> Iterator[cohere.ClientV2]:
    with cohere.ClientV2("key", base_url=f"{server.url}/cohere") as client:
        yield client


def test_coheres_second_client_reads_the_order(second_client, expected) -> None:
    assert pairs(second_client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS)) == expected


def test_coheres_client_reads_vllms_answers_too(server, expected) -> None:
    with cohere.ClientV2("key", base_url=server.url) as client:
        assert pairs(client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS)) == expected


def test_coheres_second_client_reads_the_meta_data(second_client) -> None:
    response = second_client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS, top_n=2)
    assert (len(response.results), response.meta.api_version.version) == (2, "2")
    assert (response.meta.billed_units.search_units, bool(response.id)) == (1, True)


def test_coheres_first_client_reads_the_documents(server, expected) -> None:
    documents = [{"text": SOLUTIONS[0]}, *SOLUTIONS[1:]]
    with cohere.Client("key", base_url=f"{server.url}/cohere") as client:
        response = client.rerank(model="prm", query=PROBLEM, documents=documents, return_documents=True)
    assert [result.document.text for result in response.results] == [SOLUTIONS[index] for index, _ in expected]


def test_coheres_client_raises_that_a_model_is_not_there(second_client) -> None:
    with pytest.raises(cohere.NotFoundError) as caught:
        second_client.rerank(model="rerank-v3.5", query=PROBLEM, documents=SOLUTIONS, request_options=ONE_TRY)
    assert "no such model" in json.dumps(caught.value.body)


def test_coheres_client_raises_what_is_wrong_with_a_field(second_client) -> None:
    with pytest.raises(cohere.UnprocessableEntityError) as caught:
        second_client.rerank(model="prm", query=PROBLEM, documents=["It is 5.", " "], request_options=ONE_TRY)
    assert "documents[1]" in json.dumps(caught.value.body)


def test_coheres_client_raises_that_a_key_is_wanted(serve_http, keys_in_file) -> None:
    server = serve_http(keys=keys_in_file.ring())
    with (
        cohere.ClientV2("wrong", base_url=f"{server.url}/cohere") as client,
        pytest.raises(cohere.UnauthorizedError),
    ):
        client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS, request_options=ONE_TRY)


def test_coheres_client_sends_a_key(serve_http, keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    server = serve_http(keys=keys_in_file.ring())
    with cohere.ClientV2(key, base_url=f"{server.url}/cohere") as client:
        assert len(client.rerank(model="prm", query=PROBLEM, documents=SOLUTIONS).results) == len(SOLUTIONS)


def compressed(reranker) -> list[tuple[str, float]]:
    documents = [Document(solution) for solution in SOLUTIONS]
    found = reranker.compress_documents(documents, PROBLEM)
    return [(document.page_content, document.metadata["relevance_score"]) for document in found]


def test_langchains_cohere_reranker_reads_the_order(server, expected) -> None:
    reranker = CohereRerank(cohere_api_key="key", base_url=f"{server.url}/cohere", model="prm", top_n=3)
    with reranker.client:
        assert compressed(reranker) == [(SOLUTIONS[index], score) for index, score in expected]


def posted_as_jinas(server, **fields) -> httpx.Response:
    """What langchain's JinaRerank posts; that package's own warnings forbid it to stand here."""
    body = {"query": PROBLEM, "documents": SOLUTIONS, "model": "prm", "top_n": 2} | fields
    headers = {"Authorization": "Bearer key", "Accept-Encoding": "identity", "user-agent": "langchain"}
    return httpx.post(f"{server.url}/jina/v1/rerank", json=body, headers=headers)


def test_jinas_request_is_answered_with_the_order(server, expected) -> None:
    answer = posted_as_jinas(server).json()
    assert [(result["index"], result["relevance_score"]) for result in answer["results"]] == expected[:2]
    assert [result["document"]["text"] for result in answer["results"]] == [SOLUTIONS[i] for i, _ in expected[:2]]
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] > 0


def test_jinas_request_for_another_model_has_a_detail(server) -> None:
    answer = posted_as_jinas(server, model="jina-reranker-v1-base-en")
    assert (answer.status_code, "no such model" in answer.json()["detail"]) == (404, True)


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
    asked = {"model": "surefoot", "messages": [{"role": "user", "content": PROBLEM}], "extra_body": {"n_candidates": 3}}
    drawn = httpx.post(f"{server.url}/sample", json={"problem": PROBLEM, "n": 3}).json()["usage"]["completion_tokens"]
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        if stream:
            chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
            usage = chunks[-1].usage
        else:
            usage = client.chat.completions.create(**asked).usage
    assert usage.completion_tokens == drawn
