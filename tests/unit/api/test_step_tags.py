"""Where the tags of a family end steps in an assistant's turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.api.dialects.step_tags import split_at_tags
from surefoot.profiles import Profile, load_profile

QWEN = load_profile("qwen2.5-math-prm")
SHEPHERD = load_profile("math-shepherd")
ER = load_profile("er-prm")


def separated_by(separator: str) -> Profile:
    fields = load_profile("trl-prm").model_dump()
    return Profile.model_validate(fields | {"rendering": fields["rendering"] | {"separator": separator}})


@pytest.mark.parametrize(
    ("turn", "steps"),
    [
        ("a<extra_0>b<extra_0>", ("a", "b")),
        ("a\n<extra_0>\nb<extra_0>", ("a\n", "\nb")),
        ("a<extra_0><extra_0>b<extra_0>", ("a", "", "b")),
        ("<extra_0>", ("",)),
        ("a<extra_0>b", ("a",)),
        ("a<extra_0>\n", ("a",)),
        ("a<extra_1>b<extra_0>", ("a<extra_1>b",)),
        ("a", None),
        ("", None),
    ],
)
def test_a_control_token_ends_a_step(turn: str, steps: tuple[str, ...] | None) -> None:
    assert split_at_tags(QWEN, turn) == steps


@pytest.mark.parametrize(
    ("turn", "steps"),
    [
        ("Step 1: a ки\nStep 2: b ки", ("Step 1: a", "Step 2: b")),
        ("Step 1: a ки\n\nStep 2: b ки\n", ("Step 1: a", "\nStep 2: b")),
        ("Step 1: aки\nStep 2: b ки", ("Step 1: aки\nStep 2: b",)),
        ("Step 1: кит и киты ки", ("Step 1: кит и киты",)),
        ("Step 1: a ки.", ("Step 1: a",)),
    ],
)
def test_a_word_ends_a_step_where_it_stands_by_itself(turn: str, steps: tuple[str, ...]) -> None:
    assert split_at_tags(SHEPHERD, turn) == steps


def test_without_a_joiner_the_next_step_follows_at_once() -> None:
    assert split_at_tags(ER, "Step 1: a киStep 2: b ки") == ("Step 1: a", "Step 2: b")


def test_a_separator_that_can_be_seen_is_a_tag() -> None:
    assert split_at_tags(separated_by("<sep>"), "a\nb<sep>c<sep>") == ("a\nb", "c")


def test_a_separator_with_signs_of_a_pattern_is_taken_literally() -> None:
    assert split_at_tags(separated_by("(*)"), "a(*)b*(*)") == ("a", "b*")


@pytest.mark.parametrize("separator", ["\n", "\n\n", ""])
def test_a_separator_of_white_space_is_left_to_the_profiles_splitting(separator: str) -> None:
    assert split_at_tags(separated_by(separator), "a\n\nb\n\n") is None


@pytest.mark.parametrize("name", ["rlhflow-prm", "eurus-prm", "sequence-classification", "embedded-orm"])
def test_families_without_a_tag_have_none(name: str) -> None:
    assert split_at_tags(load_profile(name), "a<extra_0>b ки\n+") is None


@given(st.lists(st.text(), min_size=1), st.text())
def test_there_are_as_many_steps_as_tags(steps: list[str], rest: str) -> None:
    turn = "<extra_0>".join([*steps, rest])
    found = split_at_tags(QWEN, turn)
    assert found is not None
    assert len(found) == turn.count("<extra_0>")
