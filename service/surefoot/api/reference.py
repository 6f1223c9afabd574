"""The page of all routes and bodies, from the OpenAPI document: `python -m surefoot.api.reference > docs/api.md`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from surefoot.api.openapi import openapi_text

Json = Mapping[str, Any]

_HEAD = """# HTTP API

<!-- Made by `python -m surefoot.api.reference > docs/api.md`; change the routes and their schemas themselves. -->

Every route, its body and its answer, as `openapi.json` has them; a running service shows the same under `/docs`.
All indices are 0-based, places in texts are Unicode code points, times are seconds. What other systems' clients
may send is told in [dialects.md](dialects.md), keys and their scopes in [security.md](security.md).

Errors of native routes are `{"error": {"code", "message", "type", "param"}}`; what is wrong with one item is an error
of that item, and the answer is 200.

"""

_TITLES = {"scoring": "Scoring", "sampling": "Sampling", "operations": "Operations", "admin": "Administration"}
_DIALECTS = "dialects"


def reference_text() -> str:
    """The page as Markdown, ending with a newline."""
    document = json.loads(openapi_text())
    routes = list(_routes(document))
    parts = [_HEAD]
    for tag, title in _TITLES.items():
        parts.append(f"## {title}\n\n")
        parts += [_route(words, route) for words, route in routes if route["tags"] == [tag]]
    parts.append("## Other systems' paths\n\n| route | |\n|---|---|\n")
    parts += [f"| `{words}` | {route['summary']} |\n" for words, route in routes if route["tags"] == [_DIALECTS]]
    native = [route for _, route in routes if route["tags"] != [_DIALECTS]]
    schemas: Json = document["components"]["schemas"]
    parts.append("\n## Bodies\n\n")
    parts += [_schema(name, schemas[name]) for name in sorted(_reached(native, schemas))]
    return "".join(parts).rstrip("\n") + "\n"


def _routes(document: Json) -> Iterator[tuple[str, Json]]:
    """Every operation as its method and path, and what the document says of it."""
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            yield f"{method.upper()} {path}", route


def _route(words: str, route: Json) -> str:
    paragraphs = [f"### {words}", f"**{route['summary']}.** {_text(route.get('description'))}"]
    rows = [f"| `{each['name']}` ({each['in']}) | {_text(each.get('description'))} |" for each in _parameters(route)]
    if rows:
        paragraphs.append("\n".join(["| parameter | |", "|---|---|", *rows]))
    if body := _content(route.get("requestBody", {})):
        paragraphs.append(f"Body: {_type(body)}")
    if answer := _content(route["responses"]["200"]):
        paragraphs.append(f"Answer: {_type(answer)}")
    statuses = ", ".join(code for code in route["responses"] if code not in ("200", "default"))
    if statuses:
        paragraphs.append(f"Other statuses: {statuses}.")
    return "\n\n".join(paragraphs) + "\n\n"


def _parameters(route: Json) -> list[Json]:
    found: list[Json] = route.get("parameters", [])
    return found


def _content(holder: Json) -> Json | None:
    """The schema of a JSON body, where there is one."""
    schema: Json | None = holder.get("content", {}).get("application/json", {}).get("schema")
    return schema or None


def _schema(name: str, schema: Json) -> str:
    said = _text(schema.get("description"))
    lines = [f"### {name}", "", *([said, ""] if said else [])]
    if "properties" in schema:
        needed = set(schema.get("required", ()))
        lines += ["| field | type | default | meaning |", "|---|---|---|---|"]
        for field, own in schema["properties"].items():
            default = "needed" if field in needed else _default(own)
            lines.append(f"| `{field}` | {_type(own)} | {default} | {_text(own.get('description'))} |")
    else:
        lines.append(_type(schema))
    return "\n".join(lines) + "\n\n"


def _default(schema: Json) -> str:
    return "" if schema.get("default") is None else f"`{json.dumps(schema['default'], ensure_ascii=False)}`"


def _type(schema: Json) -> str:
    """A schema in words; named ones link to their section."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_type(each) for each in schema[key] if each.get("type") != "null"))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items') or {})}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"{kind}{_bounds(schema)}"


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _bounds(schema: Json) -> str:
    found = [f"{sign} {schema[key]:g}" for key, sign in _BOUNDS.items() if key in schema]
    return f" {', '.join(found)}" if found else ""


def _reached(routes: list[Json], schemas: Json) -> set[str]:
    """The names of all schemas that the bodies and answers of these routes hold, however deep."""
    waiting = [name for route in routes for name in _names({**route, "responses": {"200": route["responses"]["200"]}})]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _names(schemas[name])
    return reached


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"].rsplit("/", 1)[1]] if isinstance(value.get("$ref"), str) else []
        return own + [name for each in value.values() for name in _names(each)]
    return [name for each in value for name in _names(each)] if isinstance(value, list) else []


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|").replace("[[", "\\[\\[")


if __name__ == "__main__":
    sys.stdout.write(reference_text())
