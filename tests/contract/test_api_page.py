"""docs/api.md is made from the OpenAPI document, whole and up to date."""

import json
import re
from pathlib import Path

from surefoot.api.openapi import openapi_text
from surefoot.api.reference import reference_text

COMMITTED = Path(__file__).parents[2] / "docs/api.md"
DOCUMENT = json.loads(openapi_text())


def test_the_committed_page_is_the_programs() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == reference_text(), (
        "run: python -m surefoot.api.reference > docs/api.md"
    )


def test_every_route_is_there() -> None:
    routes = {f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    told = set(re.findall(r"^(?:### |\| `)((?:GET|POST|PUT|DELETE) [^`\n]+)", reference_text(), re.MULTILINE))
    assert told == routes


def test_every_body_that_is_named_has_its_section() -> None:
    named = set(re.findall(r"\]\(#(\w+)\)", reference_text()))
    sections = {name.lower() for name in re.findall(r"^### (\w+)$", reference_text(), re.MULTILINE)}
    assert {"scorerequest", "stepout"} <= named
    assert named <= sections


def test_every_field_of_a_body_is_told_with_its_default() -> None:
    section = reference_text().split("\n### ScoreRequest\n")[1].split("\n### ")[0]
    assert set(DOCUMENT["components"]["schemas"]["ScoreRequest"]["properties"]) == set(
        re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
    )
    assert '| `priority` | `interactive`, `bulk` | `"interactive"` |' in section
