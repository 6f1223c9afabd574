"""What the documents tell to type exists: verbs and options of the program, routes and bodies of the API."""

import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from surefoot.api.app import create_app
from surefoot.cli.reference import all_commands
from surefoot.profiles import load_profile
from surefoot.settings import Section, Settings
from surefoot.wiring.fake_service import FakeParts, build_fake_service

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "clients/python/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL_BLOCK = re.compile(r"^```(?:bash|console|sh|shell)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INLINE_CALL = re.compile(r"`(?:\.venv/bin/)?(surefoot [^`\n]+)`")
END_OF_COMMAND = {"|", "||", "&", "&&", ";", ">", ">>", "<"}
COMMANDS = dict(all_commands())


def words_of(text: str) -> list[str]:
    """The words of a shell text; operators are words of their own."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


def simple_commands(text: str) -> Iterator[list[str]]:
    """The commands of a shell text; a quoted word may span lines."""
    pending = ""
    for line in text.splitlines():
        pending += line.removesuffix("\\") + ("\n" if not line.endswith("\\") else " ")
        try:
            words = words_of(pending)
        except ValueError:  # a quotation goes on in the next line
            continue
        if line.endswith("\\"):
            continue
        pending = ""
        current: list[str] = []
        for word in [*words, ";"]:
            if word not in END_OF_COMMAND:
                current.append(word)
            elif current:
                yield current
                current = []


def program_calls(text: str) -> Iterator[list[str]]:
    for block in SHELL_BLOCK.findall(text):
        for words in simple_commands(block):
            is_call = [Path(word).name == "surefoot" for word in words]
            if any(is_call):
                yield ["surefoot", *words[is_call.index(True) + 1 :]]
    for call in INLINE_CALL.findall(text):
        yield from simple_commands(call)


def complaint(words: list[str]) -> str | None:
    """What the program does not know of a call."""
    verb, rest = words[0], words[1:]
    while rest and f"{verb} {rest[0]}" in COMMANDS:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    command = COMMANDS[verb]
    if getattr(command, "commands", None) and rest and not rest[0].startswith("-"):
        return f"{' '.join(words)}: there is no {rest[0]}"
    if "--" in rest and any(parameter.nargs == -1 for parameter in command.params):
        # What follows is another verb's: `surefoot train loop` hands it on to `surefoot train prm`.
        rest, others = rest[: rest.index("--")], rest[rest.index("--") + 1 :]
        if (found := complaint(["surefoot", "train", "prm", *others])) is not None:
            return found
    known = {"--help", *(spelling for parameter in command.params for spelling in parameter.opts)}
    unknown = [word for word in rest if word.startswith("-") and word != "-" and word.partition("=")[0] not in known]
    return f"{' '.join(words)}: {verb} has no {', '.join(unknown)}" if unknown else None


def requests_in(text: str) -> Iterator[tuple[str, str]]:
    """The path and the body of every `curl` that sends one."""
    for block in SHELL_BLOCK.findall(text):
        for words in simple_commands(block):
            if "curl" in words and "-d" in words:
                [url] = [word for word in words if word.startswith("http://")]
                yield urlsplit(url).path, words[words.index("-d") + 1]


CALLS = [(path, call) for path in DOCUMENTS for call in program_calls(path.read_text(encoding="utf-8"))]
LOADED = ("/admin/models/prm/candidate", {"label": "v2"})
BEFORE = {
    "/admin/models/prm/shadow": [LOADED],
    "/admin/models/prm/unload": [LOADED, ("/admin/models/prm/promote", None)],
}
"""What must have been asked for before, by the path of a request that needs it."""
REQUESTS = [(path, *found) for path in DOCUMENTS for found in requests_in(path.read_text(encoding="utf-8"))]


def test_there_is_something_to_check() -> None:
    assert {tuple(call[:2]) for _, call in CALLS} >= {("surefoot", verb) for verb in ("solve", "score", "serve")}
    assert {path for _, path, _ in REQUESTS} >= {"/score", "/rerank", "/best_of_n", "/select"}


TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
MAKE_CALL = re.compile(r"(?:`|^)make ([a-z0-9-]+)", re.MULTILINE)
MODULE_CALL = re.compile(r"python -m ((?:surefoot|loadtests)[\w.]*)")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_and_module_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert set(MAKE_CALL.findall(text)) - TARGETS == set()
    assert [name for name in MODULE_CALL.findall(text) if find_spec(name) is None] == []


def setting_names(kind: type, prefix: str = "") -> Iterator[str]:
    """Every setting, sections flattened to dotted names, as the documents write them."""
    for name, field in kind.model_fields.items():
        yield prefix + name
        own = field.annotation
        if isinstance(own, type) and issubclass(own, Section):
            yield from setting_names(own, f"{prefix}{name}.")


SETTINGS = set(setting_names(Settings))
SECTIONS = {name.partition(".")[0] for name in SETTINGS if "." in name}
NAMED = re.compile(rf"`((?:{'|'.join(sorted(SECTIONS))})\.[a-z_]+)`")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_that_is_named_exists(path: Path) -> None:
    assert set(NAMED.findall(path.read_text(encoding="utf-8"))) - SETTINGS == set()


def test_a_setting_that_does_not_exist_is_found() -> None:
    assert "scheduler.max_batch_tokens" in SETTINGS
    assert set(NAMED.findall("`scheduler.max_batch_tokenz`")) - SETTINGS == {"scheduler.max_batch_tokenz"}


def test_every_call_of_the_program_is_one_that_it_knows() -> None:
    complaints = [f"{path.name}: {found}" for path, call in CALLS if (found := complaint(call))]
    assert complaints == []


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("surefoot solv x", "there is no solv"),
        ("surefoot models list", "there is no list"),
        ("surefoot score in.jsonl --retry", "has no --retry"),
    ],
)
def test_a_call_that_does_not_exist_is_found(call, said) -> None:
    [words] = program_calls(f"```bash\nX=1 .venv/bin/{call} | cat  # a comment\n```\n")
    assert said in (complaint(words) or "")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    candidates = {"prm": {"v2": load_profile("embedded-prm")}}
    app = create_app(build_fake_service(FakeParts(admin_routes=True, candidates=candidates)).service)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://surefoot.test")
    async with app.router.lifespan_context(app), client:
        yield client


@pytest.mark.parametrize(("document", "path", "body"), REQUESTS, ids=[f"{d.stem}{path}" for d, path, _ in REQUESTS])
async def test_every_request_is_one_that_the_api_takes(http, document, path, body) -> None:
    for earlier, asked in BEFORE.get(path, ()):
        await http.post(earlier, json=asked)
    answer = await http.post(path, json=json.loads(body))
    assert answer.status_code == 200, answer.text


async def test_a_request_with_a_misspelt_field_is_found(http) -> None:
    [(path, body)] = requests_in("""```bash\ncurl http://h:1/score -d '{"problem": "p",\n "stepz": []}' | jq\n```\n""")
    assert (await http.post(path, json=json.loads(body))).status_code == 422
