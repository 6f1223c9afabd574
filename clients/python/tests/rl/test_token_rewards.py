"""Rewards at token positions: each placement on tokens chosen by hand, and what is refused."""

import dataclasses
from typing import get_args

import pytest

from surefoot_client.rl import Placement, PolicyTokens, align_steps, placed_rewards, token_rewards
from surefoot_client.rl.token_rewards import PLACERS

TEXT = "2+3=5.\nSo 5."
SPANS = [(0, 6), (7, 12)]
TOKENS = ["2", "+3", "=5", ".\n", "So", " 5", ".", ""]


def tokens_of(pieces):
    """Tokens that lie side by side."""
    ends = [sum(map(len, pieces[: count + 1])) for count in range(len(pieces))]
    return PolicyTokens("".join(pieces), [(end - len(piece), end) for piece, end in zip(pieces, ends, strict=True)])


@pytest.fixture
def scored(result):
    return result(TEXT, SPANS, [0.75, 0.5])


@pytest.mark.parametrize(
    ("placement", "rewards"),
    [
        ("last_token", [0, 0, 0, 0.75, 0, 0, 0.5, 0]),
        ("spread", [0.1875, 0.1875, 0.1875, 0.1875, 0.5 / 3, 0.5 / 3, 0.5 / 3, 0]),
        ("difference", [0, 0, 0, 0.75, 0, 0, -0.25, 0]),
        ("shaping", [0, 0, 0, 0.75, 0, 0, -0.25, -0.5]),
    ],
)
def test_each_placement_puts_rewards_where_it_says(scored, placement, rewards):
    assert token_rewards(scored, tokens_of(TOKENS), placement=placement).tolist() == pytest.approx(rewards)


def test_every_placement_is_known():
    assert set(PLACERS) == set(get_args(Placement))


def test_the_outcome_comes_with_the_last_token(scored):
    rewards = token_rewards(scored, tokens_of(TOKENS), outcome=1.0)
    assert rewards.tolist() == [0, 0, 0, 0.75, 0, 0, 0.5, 1.0]


def test_shaping_leaves_the_outcome_as_the_whole_total(scored):
    assert token_rewards(scored, tokens_of(TOKENS), placement="shaping", outcome=1.0).sum() == 1.0


def test_differences_begin_at_the_initial_value(scored):
    rewards = token_rewards(scored, tokens_of(TOKENS), placement="difference", initial_value=0.25)
    assert rewards[3] == 0.5


def test_a_token_across_a_border_holds_both_steps(result):
    one = result("a.b", [(0, 2), (2, 3)], [0.75, 0.5])
    tokens = tokens_of(["a", ".b"])
    assert token_rewards(one, tokens).tolist() == [0, 1.25]
    assert token_rewards(one, tokens, placement="spread").tolist() == [0.375, 0.875]


def test_bytes_of_one_character_end_with_the_last_of_them(result):
    one = result("é!", [(0, 1), (1, 2)], [0.75, 0.5])
    assert token_rewards(one, PolicyTokens("é!", [(0, 1), (0, 1), (1, 2)])).tolist() == [0, 0.75, 0.5]


def test_a_step_without_a_token_ends_with_the_token_before_it():
    # The tokenizer's offsets leave out white space, and one step is nothing else.
    tokens = PolicyTokens("a \nb", [(0, 0), (0, 1), (3, 4), (0, 0)])
    places = align_steps([(0, 1), (1, 3), (3, 4)], tokens)
    assert places.is_borrowed.tolist() == [False, True, False]
    assert placed_rewards(places, [1.0, 2.0, 4.0]).tolist() == [0, 3, 4, 0]


def test_a_step_before_every_token_begins_with_the_first_that_has_text():
    tokens = PolicyTokens(" a", [(0, 0), (1, 2), (2, 2)])
    assert placed_rewards(align_steps([(0, 1)], tokens), [1.0]).tolist() == [0, 1, 0]


def test_tokens_that_were_cut_off_leave_their_rewards_with_the_last_one(scored):
    tokens = PolicyTokens(TEXT, tokens_of(TOKENS).spans[:2])
    assert align_steps(SPANS, tokens).is_borrowed.tolist() == [False, True]
    assert token_rewards(scored, tokens).tolist() == [0, 1.25]


def test_the_scored_text_may_begin_later(result):
    tokens = tokens_of(["<think>", "é</think>", *TOKENS])
    rewards = token_rewards(result(TEXT, SPANS, [0.75, 0.5]), tokens, text_start=16)
    assert rewards.tolist() == [0, 0, 0, 0, 0, 0.75, 0, 0, 0.5, 0]


def test_other_values_take_the_place_of_the_scores(scored):
    assert token_rewards(scored, tokens_of(TOKENS), values=[-2.0, 3.0]).sum() == 1.0


def test_an_outcome_models_result_has_the_outcome_alone(result):
    one = result(TEXT, [], [])
    assert token_rewards(one, tokens_of(TOKENS), outcome=one.score).tolist() == [0, 0, 0, 0, 0, 0, 0, 0.5]


def test_an_empty_completion_has_no_rewards(result):
    assert token_rewards(result("", [], []), PolicyTokens("", [])).shape == (0,)


@pytest.mark.parametrize("outcome", [None, 1.0])
def test_rewards_that_no_token_can_carry_are_refused(result, outcome):
    one = result("", [(0, 0)] if outcome is None else [], [0.5] if outcome is None else [])
    with pytest.raises(ValueError, match="without tokens"):
        token_rewards(one, PolicyTokens("", []), outcome=outcome)


@pytest.mark.parametrize(("text", "text_start"), [("2+3=5.\nSo 6.", 0), (TEXT, 1), (TEXT, -12), ("2+3=5.", 0)])
def test_another_text_than_the_scored_one_is_refused(scored, text, text_start):
    tokens = PolicyTokens(text, [(0, len(text))])
    with pytest.raises(ValueError, match="as `solution`") as caught:
        token_rewards(scored, tokens, text_start=text_start)
    assert "So" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"values": [0.5]}, "each of the 2 steps"),
        ({"values": [0.5, float("nan")]}, "finite"),
        ({"outcome": float("inf")}, "finite"),
        ({"initial_value": 0.5}, "initial_value"),
        ({"placement": "first_token"}, "placement must be one of last_token"),
    ],
)
def test_what_would_spoil_the_rewards_is_refused(scored, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        token_rewards(scored, tokens_of(TOKENS), **arguments)


def test_steps_without_spans_are_refused(scored):
    blind = dataclasses.replace(scored, steps=tuple(dataclasses.replace(step, span=None) for step in scored.steps))
    with pytest.raises(ValueError, match="spans"):
        token_rewards(blind, tokens_of(TOKENS))


def test_step_spans_outside_the_text_are_refused():
    with pytest.raises(ValueError, match="step_spans"):
        align_steps([(0, 4)], PolicyTokens("2+3", [(0, 3)]))
