"""The OpenAPI document: what is committed is what the app gives, valid, with every route and the errors it answers."""

import json
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from surefoot.api.openapi import openapi_text
from surefoot.domain import Aggregation, Strategy

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
SCORING = ("/score", "/rerank", "/sample", "/best_of_n", "/select")
CHAT = "/v1/chat/completions"
POOLING = "/pooling"
NATIVE_ERRORS = (*SCORING, CHAT)
VLLM = (POOLING, "/classify", "/v1/score", "/v1/rerank", "/v2/rerank")
DIALECTS = {
    **dict.fromkeys(VLLM, "VllmErrorResponse"),
    **dict.fromkeys(("/cohere/v1/rerank", "/cohere/v2/rerank"), "CohereError"),
    **dict.fromkeys(("/jina/v1/rerank", "/get_reward", "/slime/reward"), "DetailError"),
    **dict.fromkeys(("/tei/rerank", "/tei/predict", "/predict"), "TeiError"),
    "/openr/get_worker_address": "OpenrError",
    "/openr/worker_value_inference": "OpenrError",
    "/openr/{model}/worker_value_inference": "OpenrError",
}
"""The schema of each dialect's errors."""
POSTED = (*NATIVE_ERRORS, *DIALECTS)
CHANGES = ("reload", "candidate", "shadow", "promote", "rollback", "unload")
ADMIN = tuple(f"/admin/models/{{name}}/{change}" for change in CHANGES)
OPERATIONS = ("/health", "/ready", "/metrics", "/v1/models", "/admin/models", "/admin/models/{name}")


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(openapi_text())


def test_the_committed_document_is_the_apps(document) -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert committed == document, "run: python -m surefoot.api.openapi > docs/openapi.json"


def test_it_is_valid(document) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_it_says_which_version_it_is_written_in(document) -> None:
    assert document["openapi"].startswith("3.1.")


def test_it_has_every_route_and_no_other(document) -> None:
    assert set(document["paths"]) == {*POSTED, *ADMIN, *OPERATIONS}


@pytest.mark.parametrize("path", [*POSTED, *ADMIN])
def test_work_is_posted(document, path) -> None:
    assert set(document["paths"][path]) == {"post"}


@pytest.mark.parametrize("path", OPERATIONS)
def test_operations_are_got(document, path) -> None:
    assert set(document["paths"][path]) == {"get"}


@pytest.mark.parametrize("path", NATIVE_ERRORS)
@pytest.mark.parametrize("status", ["400", "404", "413", "422", "429", "503", "504"])
def test_errors_are_declared_in_the_native_shape(document, path, status) -> None:
    content = document["paths"][path]["post"]["responses"][status]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}


@pytest.mark.parametrize(
    ("path", "status"),
    [(path, status) for path in ADMIN for status in ("404", "503")]
    + [(path, "422") for path in ADMIN[:2]]
    + [(path, "409") for path in ADMIN[1:]],
)
def test_errors_of_changes_are_declared_in_the_native_shape(document, path, status) -> None:
    content = document["paths"][path]["post"]["responses"][status]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/ErrorResponse"}


@pytest.mark.parametrize(("path", "shape"), DIALECTS.items())
def test_a_dialect_declares_its_errors_in_its_systems_shape(document, path, shape) -> None:
    responses = document["paths"][path]["post"]["responses"]
    shapes = {
        status: response["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, response in responses.items()
        if status != "200"
    }
    assert set(shapes) >= {"400", "401", "403", "404", "413", "429", "503", "504"}
    assert set(shapes.values()) == {shape}


@pytest.mark.parametrize("path", VLLM)
def test_vllms_routes_never_answer_422(document, path) -> None:
    responses = document["paths"][path]["post"]["responses"]
    assert ("422" in responses, "default" in responses) == (False, True)


def test_an_error_has_code_message_type_and_param(document) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["ErrorResponse"]["properties"]["error"] == {"$ref": "#/components/schemas/ErrorBody"}
    assert set(schemas["ErrorBody"]["properties"]) == {"code", "message", "type", "param"}


def test_the_frameworks_own_error_shape_does_not_appear() -> None:
    assert "HTTPValidationError" not in openapi_text()


def request_body(document: dict, path: str) -> dict:
    schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


@pytest.mark.parametrize("path", SCORING)
def test_native_request_bodies_refuse_unknown_fields(document, path) -> None:
    assert request_body(document, path)["additionalProperties"] is False


@pytest.mark.parametrize("path", [CHAT, *DIALECTS])
def test_dialects_ignore_unknown_fields_as_the_other_systems_do(document, path) -> None:
    assert request_body(document, path).get("additionalProperties", True) is True


def test_chat_refuses_unknown_fields_in_what_nobody_else_speaks(document) -> None:
    assert document["components"]["schemas"]["ChatExtras"]["additionalProperties"] is False


@pytest.mark.parametrize(("field", "values"), [("strategy", Strategy), ("aggregation", Aggregation)])
def test_choices_are_spelled_out(document, field, values) -> None:
    schema = document["components"]["schemas"]["RankingFields"]["properties"][field]
    choices = schema.get("enum") or schema["anyOf"][0]["enum"]
    assert tuple(choices) == values.__args__


def test_every_operation_says_what_it_does(document) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all(operation["summary"] and operation["description"] for operation in operations)


def test_the_text_ends_with_a_newline() -> None:
    assert openapi_text().endswith("}\n")
