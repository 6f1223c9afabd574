"""Where tokens stand in the policy's text: offsets as tokenizers give them, and ids as policies sample them."""

import pytest

from surefoot_client.rl import PolicyTokens

TEXT = "2 + 3 = 5.\nSo 答案 5. Ответ"


def spans_of(tokens):
    return [tuple(span) for span in tokens.spans.tolist()]


def test_ids_that_the_tokenizer_would_choose_have_its_own_offsets(tokenizer):
    encoded = tokenizer(TEXT, return_offsets_mapping=True)
    tokens = PolicyTokens.from_ids(encoded["input_ids"], tokenizer, text=TEXT)
    assert spans_of(tokens) == [tuple(span) for span in encoded["offset_mapping"]]


def test_without_offsets_the_ids_are_found_at_the_same_places(tokenizer):
    class Slow:
        """The same tokenizer, as one without offsets."""

        is_fast = False
        all_special_ids = tokenizer.all_special_ids

        def decode(self, token_ids, *, skip_special_tokens):
            return tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)

    ids = tokenizer(TEXT)["input_ids"]
    assert spans_of(PolicyTokens.from_ids(ids, Slow())) == spans_of(PolicyTokens.from_ids(ids, tokenizer))


def test_skipped_special_tokens_are_empty_where_they_stand(tokenizer):
    ids = tokenizer("2 + 3")["input_ids"]
    tokens = PolicyTokens.from_ids([tokenizer.bos_token_id, *ids, tokenizer.eos_token_id], tokenizer)
    assert spans_of(tokens)[0] == (0, 0)
    assert spans_of(tokens)[-1] == (len(tokens.text), len(tokens.text))


def test_a_skipped_token_between_two_bytes_is_at_their_character(tokenizer):
    ids = tokenizer("2¡", add_special_tokens=False)["input_ids"]
    special = tokenizer.all_special_ids[0]
    spans = spans_of(PolicyTokens.from_ids([part for token_id in ids for part in (special, token_id)], tokenizer))
    assert sorted(spans) == spans
    assert [end for _, end in spans] == sorted(end for _, end in spans)


def test_special_tokens_that_were_kept_have_their_text(tokenizer):
    ids = [*tokenizer("2 + 3")["input_ids"], tokenizer.eos_token_id]
    tokens = PolicyTokens.from_ids(ids, tokenizer, skip_special_tokens=False)
    start, end = tokens.spans[-1]
    assert tokens.text[start:end].strip() == "</s>"


def test_a_text_that_the_ids_do_not_spell_is_refused(tokenizer):
    with pytest.raises(ValueError, match="skip_special_tokens") as caught:
        PolicyTokens.from_ids(tokenizer("2 + 3 = 5")["input_ids"], tokenizer, text="2 + 3 = 5 ")
    assert "2 + 3" not in str(caught.value)


def test_no_ids_are_no_tokens(tokenizer):
    tokens = PolicyTokens.from_ids([], tokenizer)
    assert (tokens.text, tokens.spans.shape, len(tokens)) == ("", (0, 2), 0)


def test_offsets_in_bytes_are_refused():
    with pytest.raises(ValueError, match="code points"):
        PolicyTokens("é", [(0, 2)])


@pytest.mark.parametrize(
    ("spans", "complaint"),
    [
        ([(2, 1)], "end before"),
        ([(0.0, 1.0)], "integers"),
        ([0, 1], "pairs"),
        ([(0, 1, 2)], "pairs"),
        ([(-1, 1)], "inside"),
    ],
)
def test_offsets_that_make_no_sense_are_refused(spans, complaint):
    with pytest.raises(ValueError, match=complaint):
        PolicyTokens("2+3", spans)


def test_the_spans_are_a_copy():
    given = [[0, 1], [1, 3]]
    tokens = PolicyTokens("2+3", given)
    given[0][1] = 3
    assert spans_of(tokens) == [(0, 1), (1, 3)]
