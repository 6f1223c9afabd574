"""docs/profiles.md: its profiles load, and its table says what the built-in ones are."""

import re
from pathlib import Path

import pytest

from surefoot.profiles import builtin_names, load_profile
from surefoot.profiles.library import parse_profile
from surefoot.readout import READERS
from surefoot.rendering import RENDERERS

PAGE = (Path(__file__).parents[3] / "docs/profiles.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml profile\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by the name in the first one."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")
    ]
    return {first.strip("`"): rest for first, *rest in cells}


@pytest.mark.parametrize("name", builtin_names())
def test_the_table_says_what_a_builtin_is(name: str) -> None:
    profile = load_profile(name)
    aggregation = f"`{profile.aggregation}`" if profile.kind == "process" else "–"
    methods = [f"`{profile.rendering.method}`", f"`{profile.readout.method}`"]
    assert rows("Built-in families")[name] == [profile.kind, *methods, profile.scale, aggregation]


def test_every_rendering_and_readout_is_explained() -> None:
    assert (set(rows("Renderings")), set(rows("Readouts"))) == (set(RENDERERS), set(READERS))


def test_there_are_two_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_loads(text: str) -> None:
    parse_profile(text, "docs/profiles.md")


def test_the_explained_profile_is_the_builtin_one() -> None:
    explained = parse_profile(EXAMPLES[0], "docs/profiles.md")
    assert explained.model_copy(update={"max_input_tokens": None}) == load_profile("math-shepherd")
