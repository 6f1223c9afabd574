"""Where a critique is cut, which tokens stay as they were drawn, and what is written behind those without a cue."""

import pytest

from surefoot.errors import BackendFailed, UnsafeText
from surefoot.generative.critique import critique_seed, tokens_up_to, verdict_input
from surefoot.profiles import GenerativeVerdict
from surefoot.rendering.fake_tokenizer import FIRST_CONTROL_ID, FIRST_WORD_ID, FakeTokenizer

PROMPT = (1, 2, 3)
CUE = "Correct?"
TOKENIZER = FakeTokenizer(words=("t?\n\n", "xCorr", ".\n"))


def spec(**changes) -> GenerativeVerdict:
    return GenerativeVerdict(method="generative_verdict", cue=CUE, **changes)


def drawn(text: str) -> tuple[int, ...]:
    """One token a character, as no tokenizer would write it."""
    return tuple(map(ord, text))


def read_text(critique: tuple[int, ...], **changes) -> str:
    """The critique as it is read."""
    rendered = verdict_input(spec(**changes), PROMPT, critique, TOKENIZER)
    assert rendered.token_ids[: len(PROMPT)] == PROMPT
    return TOKENIZER.spelled(rendered.token_ids[len(PROMPT) :])


def test_nothing_behind_the_cue_is_read() -> None:
    assert read_text(drawn("Fine. Correct? No")) == "Fine. Correct?"


def test_the_last_cue_counts() -> None:
    assert read_text(drawn("Correct? Hm. Correct? Yes")) == "Correct? Hm. Correct?"


def test_the_verdict_is_read_at_the_cues_last_token() -> None:
    rendered = verdict_input(spec(), PROMPT, drawn("So. Correct? No"), TOKENIZER)
    assert rendered.readout_positions == (len(PROMPT) + len("So. Correct?") - 1,)


def test_drawn_tokens_are_not_tokenised_anew() -> None:
    """As one text the last two characters before the cue would be one token."""
    critique = drawn("So.\nCorrect? No")
    rendered = verdict_input(spec(), PROMPT, critique, TOKENIZER)
    assert rendered.token_ids == (*PROMPT, *critique[: len("So.\nCorrect?")])


def test_a_missing_cue_is_appended() -> None:
    assert read_text(drawn("It never ends")) == "It never endsCorrect?"


def test_a_missing_cue_is_appended_before_what_stopped_the_critique() -> None:
    assert read_text(drawn("All is well</think> then"), stop=("</done>", "</think>")) == "All is wellCorrect?"


def test_of_several_stops_the_first_in_the_text_counts() -> None:
    assert read_text(drawn("Well</a> then</b>"), stop=("</b>", "</a>")) == "WellCorrect?"


def test_a_stop_behind_the_cue_changes_nothing() -> None:
    assert read_text(drawn("Well. Correct? Yes</think>"), stop=("</think>",)) == "Well. Correct?"


def test_a_token_that_ends_the_turn_is_not_read() -> None:
    assert read_text((*drawn("Done"), FIRST_CONTROL_ID + 2)) == "DoneCorrect?"


def test_a_missing_cue_may_fail() -> None:
    with pytest.raises(BackendFailed, match=r"readout\.cue"):
        verdict_input(spec(missing_cue="fail"), PROMPT, drawn("It never ends"), TOKENIZER)


def test_a_cue_that_is_there_never_fails() -> None:
    assert read_text(drawn("Correct? No"), missing_cue="fail") == CUE


def test_an_empty_critique_is_the_cue_alone() -> None:
    assert read_text(()) == CUE


def test_a_token_that_goes_on_past_the_cue_is_cut() -> None:
    critique = (*drawn("So. Correc"), FIRST_WORD_ID)
    rendered = verdict_input(spec(), PROMPT, critique, TOKENIZER)
    assert rendered.token_ids == (*PROMPT, *drawn("So. Correct?"))


def test_a_token_that_begins_before_the_cue_stays_whole() -> None:
    critique = (*drawn("a "), FIRST_WORD_ID + 1, *drawn("ect? No"))
    rendered = verdict_input(spec(), PROMPT, critique, TOKENIZER)
    assert rendered.token_ids == (*PROMPT, *critique[: -len(" No")])


@pytest.mark.parametrize("end", range(6))
def test_tokens_up_to_a_place_decode_to_the_text_before_it(end) -> None:
    critique = (*drawn("ab"), FIRST_WORD_ID + 2, *drawn("cd"))
    assert TOKENIZER.decode(tokens_up_to(end, critique, TOKENIZER)) == "ab.\ncd"[:end]


class HalfCharacters(FakeTokenizer):
    """Byte tokens: a character's first byte alone decodes to U+FFFD, as in byte-level vocabularies."""

    def decode(self, token_ids) -> str:
        return bytes(token_ids).decode("utf-8", errors="replace")

    def encode_text(self, text: str) -> list[int]:
        return list(text.encode())


def test_a_character_of_several_tokens_is_kept_whole() -> None:
    critique = tuple("né Correct? é".encode())
    rendered = verdict_input(spec(), (), critique, HalfCharacters())
    assert bytes(rendered.token_ids).decode() == "né Correct?"


def test_half_a_character_at_the_end_stays_as_it_was_drawn() -> None:
    critique = "né".encode()[:-1]
    assert tokens_up_to(2, critique, HalfCharacters()) == list(critique)


class Spelling(FakeTokenizer):
    """Cannot write the cue as plain text."""

    def encode_text(self, text: str) -> list[int]:
        raise UnsafeText("no")


def test_what_the_tokenizer_cannot_write_is_its_own_error() -> None:
    with pytest.raises(UnsafeText):
        verdict_input(spec(), PROMPT, drawn("It never ends"), Spelling())


def test_equal_prompts_have_equal_seeds() -> None:
    assert critique_seed((1, 2)) == critique_seed([1, 2])


@pytest.mark.parametrize("other", [(1, 3), (12,), (2, 1)])
def test_different_prompts_have_different_seeds(other) -> None:
    assert critique_seed((1, 2)) != critique_seed(other)


def test_a_seed_fits_every_sampler() -> None:
    assert all(0 <= critique_seed((token,)) < 2**63 for token in range(50))
