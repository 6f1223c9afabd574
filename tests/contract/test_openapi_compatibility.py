"""Callers of the last release must not break: its document against the app's, through api-schema-diff."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from schema_diff.models import ChangeType
from schema_diff.openapi.diff import diff_openapi

from surefoot.api.openapi import openapi_text

RELEASED = Path(__file__).parents[2] / "docs" / "openapi-released.json"
NULL = "(null)"


def comparable(schema: Any) -> Any:
    """The same with every alternative, choice and entry as a property, because properties are what is compared."""
    if isinstance(schema, list):
        return [comparable(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    fields = {name: comparable(part) for name, part in schema.get("properties", {}).items()}
    plain = {name: fields if name == "properties" else comparable(part) for name, part in schema.items()}
    found = {f"(choice {value})": {} for value in schema.get("enum", []) if isinstance(schema["enum"], list)}
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            found[f"({name})"] = plain.pop(name)
    branches = plain.pop("anyOf", None) or plain.pop("oneOf", None) or []
    real = [branch for branch in branches if branch.get("type") != "null"]
    if len(real) < len(branches):
        found[NULL] = {}
    if len(real) == 1 and "$ref" not in real[0]:
        plain |= {name: part for name, part in real[0].items() if name != "properties"}
        found |= real[0].get("properties", {})
    else:
        found |= {f"({branch.get('$ref', branch.get('type'))})": branch for branch in real}
    return plain | {"properties": fields | found} if fields or found else plain


def breaking_changes(old: dict, new: dict) -> list[str]:
    """Where a caller of `old` breaks on `new`. An answer may promise more than before, a request may ask for less."""
    before, after = comparable(old), comparable(new)
    forth = [
        change
        for change in diff_openapi(before, after).breaking
        if not (change.change_type is ChangeType.REQUIRED_CHANGE and ".responses." in change.path)
    ]
    back = [
        change
        for change in diff_openapi(after, before).breaking
        if ".responses." in change.path
        and (change.change_type is ChangeType.REQUIRED_CHANGE or change.path.endswith(NULL))
    ]
    return [f"{change.path}: {change.message}" for change in forth] + [
        f"{change.path}: the answer no longer promises it" for change in back
    ]


@pytest.fixture(scope="module")
def released() -> dict:
    return json.loads(RELEASED.read_text(encoding="utf-8"))


def test_callers_of_the_last_release_do_not_break(released) -> None:
    assert breaking_changes(released, json.loads(openapi_text())) == [], "see docs/openapi.md"


def test_a_document_breaks_nothing_of_itself(released) -> None:
    assert breaking_changes(released, copy.deepcopy(released)) == []


def schema(document: dict, name: str) -> dict:
    return document["components"]["schemas"][name]


def properties(document: dict, name: str) -> dict:
    return schema(document, name)["properties"]


BREAKS: dict[str, Callable[[dict], Any]] = {
    "route removed": lambda document: document["paths"].pop("/score"),
    "method changed": lambda document: document["paths"].update(
        {"/score": {"put": document["paths"]["/score"]["post"]}}
    ),
    "status removed": lambda document: document["paths"]["/score"]["post"]["responses"].pop("429"),
    "request field removed": lambda document: properties(document, "ScoreRequest").pop("threshold"),
    "nested request field removed": lambda document: properties(document, "ScoreItem").pop("steps"),
    "request field became required": lambda document: schema(document, "SelectRequest")["required"].append("model"),
    "required request field added": lambda document: (
        properties(document, "SelectRequest").update({"new": {"type": "string"}}),
        schema(document, "SelectRequest")["required"].append("new"),
    ),
    "request type changed": lambda document: properties(document, "SelectRequest")["top_k"].update({"type": "string"}),
    "optional type changed": lambda document: properties(document, "ScoreRequest").update(
        {"threshold": {"anyOf": [{"type": "string"}, {"type": "null"}]}}
    ),
    "null no longer taken": lambda document: properties(document, "ScoreRequest").update(
        {"threshold": {"type": "number"}}
    ),
    "alternative removed": lambda document: properties(document, "SelectItem")["candidates"]["items"]["anyOf"].pop(0),
    "choice removed": lambda document: properties(document, "RankingFields")["strategy"]["enum"].remove("majority"),
    "answer field removed": lambda document: properties(document, "StepOut").pop("score"),
    "answer field no longer promised": lambda document: schema(document, "StepOut")["required"].remove("span"),
    "answer field may be null": lambda document: properties(document, "StepOut").update(
        {"score": {"anyOf": [{"type": "number"}, {"type": "null"}]}}
    ),
}


@pytest.mark.parametrize("change", BREAKS)
def test_what_breaks_callers_is_found(released, change) -> None:
    changed = copy.deepcopy(released)
    BREAKS[change](changed)
    assert breaking_changes(released, changed) != []


ADDS: dict[str, Callable[[dict], Any]] = {
    "route": lambda document: document["paths"].update({"/new": document["paths"]["/score"]}),
    "status": lambda document: document["paths"]["/score"]["post"]["responses"].update(
        {"418": document["paths"]["/score"]["post"]["responses"]["429"]}
    ),
    "optional request field": lambda document: properties(document, "ScoreItem").update({"new": {"type": "string"}}),
    "request field is optional now": lambda document: schema(document, "SelectRequest")["required"].remove("top_k"),
    "null is taken now": lambda document: properties(document, "SelectRequest").update(
        {"top_k": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}
    ),
    "choice": lambda document: properties(document, "RankingFields")["strategy"]["enum"].append("new"),
    "promised answer field": lambda document: (
        properties(document, "StepOut").update({"new": {"type": "string"}}),
        schema(document, "StepOut")["required"].append("new"),
    ),
    "text": lambda document: properties(document, "ScoreRequest")["model"].update({"description": "Other words."}),
}


@pytest.mark.parametrize("change", ADDS)
def test_additions_pass(released, change) -> None:
    changed = copy.deepcopy(released)
    ADDS[change](changed)
    assert changed != released
    assert breaking_changes(released, changed) == []
