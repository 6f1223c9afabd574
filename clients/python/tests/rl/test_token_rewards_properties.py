"""Whatever the tokenizer and the text: totals are kept, and a step's reward lies on tokens of the step."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot_client.rl import PolicyTokens, align_steps, placed_rewards
from surefoot_client.rl.token_rewards import PLACERS

PIECES = [
    "2 * 3 = 6",
    " So",
    "Then ",
    "\n",
    "\n\n",
    ".",
    " ",
    "  ",
    "x",
    "é",
    "e\u0301",
    "答案",
    "😀",
    "👩‍🔬",
    "Ответ",
    "\ufffd",
    "\t",
]
FINITE = st.floats(-1e6, 1e6)


@st.composite
def completions(draw, tokenizer):
    """A policy's tokens: of a text as its tokenizer cuts it, by offsets or by ids, or any ids at all."""
    ids = draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=30))
    source = draw(st.sampled_from(["offsets", "own ids", "any ids"]))
    if source == "any ids":
        return PolicyTokens.from_ids(ids, tokenizer)
    text = "".join(draw(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20)))
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    if source == "offsets":
        # What tokenizers give for the tokens that they add themselves.
        return PolicyTokens(text, [(0, 0), *encoded["offset_mapping"], (0, 0)])
    return PolicyTokens.from_ids([*encoded["input_ids"], tokenizer.eos_token_id], tokenizer)


@st.composite
def aligned(draw, tokenizer):
    """Tokens, and steps that do not overlap, with gaps or without."""
    tokens = draw(completions(tokenizer).filter(len))
    cuts = sorted(draw(st.lists(st.integers(0, len(tokens.text)), max_size=12)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False)) if draw(st.booleans()) else list(pairwise(cuts))
    return tokens, spans


def touching(tokens, span):
    """The positions of the tokens that share a character with the step, found character by character."""
    step = set(range(*span))
    return [position for position, token in enumerate(tokens.spans.tolist()) if step & set(range(*token))]


@pytest.fixture(params=sorted(PLACERS), scope="module")
def placement(request):
    return request.param


@given(data=st.data())
def test_the_total_is_kept(tokenizer, placement, data):
    tokens, spans = data.draw(aligned(tokenizer))
    values = data.draw(st.lists(FINITE, min_size=len(spans), max_size=len(spans)))
    initial = data.draw(FINITE) if placement in ("difference", "shaping") else 0.0
    outcome = data.draw(st.none() | FINITE)
    rewards = placed_rewards(
        align_steps(spans, tokens), values, placement=placement, outcome=outcome, initial_value=initial
    )
    last = values[-1] if values else initial
    totals = {"last_token": sum(values), "spread": sum(values), "difference": last - initial, "shaping": -initial}
    assert rewards.shape == (len(tokens),)
    assert math.isclose(math.fsum(rewards), totals[placement] + (outcome or 0.0), rel_tol=1e-9, abs_tol=1e-6)


@given(data=st.data())
def test_a_steps_reward_lies_on_tokens_of_the_step_only(tokenizer, data):
    tokens, spans = data.draw(aligned(tokenizer))
    places = align_steps(spans, tokens)
    for number, span in enumerate(spans):
        alone = np.eye(len(spans))[number]
        if expected := touching(tokens, span):
            assert np.flatnonzero(placed_rewards(places, alone, placement="last_token")).tolist() == expected[-1:]
            assert np.flatnonzero(placed_rewards(places, alone, placement="spread")).tolist() == expected


@given(data=st.data())
def test_a_step_without_a_token_of_its_own_is_said_and_has_one_stand_in(tokenizer, data):
    tokens, spans = data.draw(aligned(tokenizer))
    places = align_steps(spans, tokens)
    assert places.is_borrowed.tolist() == [not touching(tokens, span) for span in spans]
    assert (places.covers[places.is_borrowed].sum(axis=1) == 1).all()


@given(data=st.data())
def test_the_tokens_of_any_ids_make_up_the_text(tokenizer, data):
    ids = data.draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=30))
    tokens = PolicyTokens.from_ids(ids, tokenizer)
    assert tokens.text == tokenizer.decode(ids, skip_special_tokens=True)
    covered = {place for start, end in tokens.spans.tolist() for place in range(start, end)}
    assert covered == set(range(len(tokens.text)))
    assert (np.diff(tokens.spans, axis=0) >= 0).all()
