"""A lower bound of token counts that must hold for every text, or promise nothing."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from surefoot.modeling.token_bound import NFC_SHRINKS_BY, TokenBound
from surefoot.modeling.tokenizer import HfTokenizer

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())
MERGES = [("a", "a"), ("aa", "aa"), ("Ġ", "Ġ"), ("Ċ", "Ċ")]
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet="aa \n\x04é中e\u0301\u0345α"),
    st.text(alphabet="a", max_size=200),
    st.just("가".join("a" * 9)),
)


def byte_level(*, letters=ALPHABET, normalizer=None, first=None, **options) -> Tokenizer:
    tokens = [*letters, *("".join(pair) for pair in MERGES)]
    tokenizer = Tokenizer(models.BPE({token: place for place, token in enumerate(tokens)}, MERGES, **options))
    last = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = last if first is None else pre_tokenizers.Sequence([first, last])
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return tokenizer


COMPLETE = byte_level()
WITH_GAPS = byte_level(letters=[letter for letter in ALPHABET if letter not in "ĄñÁ"])
COMPOSING = byte_level(normalizer=normalizers.NFC())
DIGITS = byte_level(first=pre_tokenizers.Digits(individual_digits=True))


@pytest.mark.parametrize("tokenizer", [COMPLETE, WITH_GAPS, COMPOSING, DIGITS])
@given(text=TEXTS)
def test_a_text_never_has_fewer_tokens(tokenizer, text) -> None:
    bound = TokenBound.of(tokenizer)
    assert bound is not None
    assert bound.fewest_tokens(text) <= len(tokenizer.encode(text).ids)


@given(before=TEXTS, text=TEXTS, after=TEXTS)
def test_it_holds_inside_a_longer_text(before, text, after) -> None:
    bound = TokenBound.of(COMPLETE)
    assert bound.fewest_tokens(text) <= len(COMPLETE.encode(before + text + after).ids)


def test_it_is_tight_for_the_longest_token() -> None:
    assert TokenBound.of(COMPLETE).fewest_tokens("a" * 4000) == len(COMPLETE.encode("a" * 4000).ids) == 1000


def test_bytes_without_a_token_are_not_counted() -> None:
    assert TokenBound.of(WITH_GAPS).fewest_tokens("\x04" * 1000) == len(WITH_GAPS.encode("\x04" * 1000).ids) == 0


def test_white_space_that_may_be_trimmed_is_not_counted() -> None:
    assert TokenBound.of(COMPLETE).fewest_tokens(" \t\n" * 1000) == 0


def test_half_a_surrogate_pair_is_counted_like_any_text() -> None:
    assert TokenBound.of(COMPLETE).fewest_tokens("\ud800" * 4) == 3


def test_composition_makes_one_of_four_code_points_at_most() -> None:
    characters = (chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    assert max(len(unicodedata.normalize("NFD", character)) for character in characters) == NFC_SHRINKS_BY


def with_added(token: AddedToken) -> Tokenizer:
    tokenizer = byte_level()
    tokenizer.add_tokens([token])
    return tokenizer


def test_a_long_added_token_loosens_the_bound() -> None:
    assert TokenBound.of(with_added(AddedToken("b" * 50))).fewest_tokens("b" * 100) == 2


@pytest.mark.parametrize(
    "tokenizer",
    [
        Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")),
        Tokenizer(models.BPE({"a": 0}, [])),
        byte_level(first=pre_tokenizers.Split(Regex("a"), "removed")),
        byte_level(first=pre_tokenizers.WhitespaceSplit()),
        byte_level(normalizer=normalizers.Replace(Regex("a+"), "a")),
        byte_level(normalizer=normalizers.NFKC()),
        byte_level(letters=[letter for letter in ALPHABET if letter != "b"], normalizer=normalizers.NFC()),
        byte_level(end_of_word_suffix="</w>"),
        with_added(AddedToken("<x>", lstrip=True)),
    ],
    ids=["word-piece", "no-bytes", "removes", "drops-space", "replaces", "nfkc", "nfc-gap", "suffix", "strips"],
)
def test_where_nothing_is_sure_nothing_is_promised(tokenizer) -> None:
    assert TokenBound.of(tokenizer) is None


@pytest.fixture(scope="module")
def directory(tiny) -> Path:
    return tiny("llama")


def test_the_service_asks_its_tokenizer(directory) -> None:
    tokenizer = HfTokenizer.from_directory(directory)
    assert 0 < tokenizer.fewest_tokens("x" * 1000) <= len(tokenizer.encode_text("x" * 1000))


def test_a_tokenizer_that_asks_for_truncation_does_not_get_it(directory, tmp_path) -> None:
    form = json.loads((directory / "tokenizer.json").read_text(encoding="utf-8"))
    form["truncation"] = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    (tmp_path / "tokenizer.json").write_text(json.dumps(form), encoding="utf-8")
    tokenizer = HfTokenizer.from_directory(tmp_path)
    assert len(tokenizer.encode_text("x" * 100)) == len(tokenizer.encode_markup("x" * 100)) == 100
