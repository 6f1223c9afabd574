"""Golden values in a profile's text: put there, replaced, and everything else left as it was."""

import tomllib

import pytest

from surefoot.profiles import Golden, builtin_names, keeps_comments, parse_profile, pinned_text, profile_text

GOLDEN = (
    Golden(problem='What is "1 + 1"?', steps=("1 + 1 = 2\n\nétape [[golden]]",), scores=(0.125,)),
    Golden(problem="2 * 3?", steps=("[x]\n[[golden]]", "6"), scores=(0.5, 1e-09)),
)
OUTCOME = tuple(golden.model_copy(update={"scores": golden.scores[:1]}) for golden in GOLDEN)


def golden_for(name: str) -> tuple[Golden, ...]:
    return GOLDEN if parse_profile(profile_text(name), name).kind == "process" else OUTCOME


@pytest.mark.parametrize("name", builtin_names())
def test_every_profile_is_read_back_with_its_golden_values(name: str) -> None:
    golden = golden_for(name)
    source = profile_text(name)
    expected = parse_profile(source, name).model_copy(update={"golden": golden})
    assert parse_profile(pinned_text(source, golden), name) == expected


@pytest.mark.parametrize("name", builtin_names())
def test_the_lines_of_every_profile_stay(name: str) -> None:
    source = profile_text(name)
    text = pinned_text(source, golden_for(name))
    assert text.startswith(source.rstrip())
    assert keeps_comments(source, text)


def test_golden_values_that_were_there_are_replaced() -> None:
    once = pinned_text(profile_text("trl-prm"), GOLDEN)
    twice = pinned_text(once, GOLDEN[:1])
    assert tomllib.loads(twice)["golden"] == [GOLDEN[0].model_dump(mode="json")]
    assert keeps_comments(once, twice)


def test_tables_behind_golden_values_stay() -> None:
    table = '[[golden]]\nproblem = "p"\nsteps = ["s"]\nscores = [0.5]\n'
    source = f"name = 'x'\n{table}[readout] # of the head\nmethod = 'y'\n"
    text = pinned_text(source, GOLDEN[:1])
    assert "[readout] # of the head\nmethod = 'y'" in text
    assert len(tomllib.loads(text)["golden"]) == 1


@pytest.mark.parametrize(
    "source",
    [
        "name = 'x' # said\ngolden = [{problem = 'p', steps = ['s'], scores = [0.5]}]\n",
        "name = 'x' # said\n[[golden]]\nproblem = '''\n[readout]\n'''\nsteps = ['s']\nscores = [0.5]\n",
    ],
    ids=["inline", "a header inside a text"],
)
def test_a_text_that_cannot_be_cut_is_written_anew(source: str) -> None:
    text = pinned_text(source, GOLDEN)
    assert tomllib.loads(text) == {"name": "x", "golden": [golden.model_dump(mode="json") for golden in GOLDEN]}
    assert not keeps_comments(source, text)
