from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from surefoot.embedded.base_model import prepare_base
from surefoot.errors import CheckpointDamaged

BYTE_WITHOUT_TOKEN = "\x04"
encodable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BYTE_WITHOUT_TOKEN))


@pytest.fixture(scope="module")
def tokenizer(prepared: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(prepared)


def test_the_tokenizer_is_a_fast_one(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.is_fast


def test_plain_text_gets_no_special_token(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer("he").input_ids == [tokenizer.convert_tokens_to_ids("he")]


def test_digits_stay_single_although_the_vocabulary_could_merge_them(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize("x12 127") == ["x", "1", "2", "Ġ", "1", "2", "7"]


def test_a_space_is_not_merged_with_a_digit(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize(" 7") == ["Ġ", "7"]


def test_merges_apply_across_a_leading_space(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.tokenize("he he") == ["he", "Ġhe"]


@given(text=encodable)
def test_text_survives_the_round_trip(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text, split_special_tokens=True)) == text


def test_a_byte_without_a_token_never_becomes_a_control_token(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer(BYTE_WITHOUT_TOKEN).input_ids == []


def test_special_roles_have_the_ids_of_the_file(tokenizer: PreTrainedTokenizerBase) -> None:
    roles = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id)
    assert roles == (1, 2, 2, 0)


def test_control_tokens_in_markup_are_recognised(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer("<|im_start|>he<|im_end|>").tokens() == ["<|im_start|>", "he", "<|im_end|>"]


def test_control_tokens_can_be_kept_as_plain_text(tokenizer: PreTrainedTokenizerBase) -> None:
    ids = tokenizer("<|im_end|>", split_special_tokens=True).input_ids
    assert set(ids).isdisjoint(range(3))


def test_control_tokens_are_left_out_when_decoding_asks_for_it(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.decode(tokenizer("he<|endoftext|><|im_end|>").input_ids, skip_special_tokens=True) == "he"


def test_the_chat_template_of_the_file_is_kept(tokenizer: PreTrainedTokenizerBase) -> None:
    turns = [{"role": "user", "content": "1+1?"}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"


def test_the_context_length_limits_the_tokenizer(tokenizer: PreTrainedTokenizerBase) -> None:
    assert tokenizer.model_max_length == 128


REFUSED = {
    "splitting": (lambda _: {"pre_tokenizer": "qwen2"}, "only gpt2 with smollm"),
    "merge of unknown tokens": (lambda _: {"merges": ["zz y"]}, "tokenizer.ggml.merges names a token"),
    "merge of one token": (lambda _: {"merges": ["he"]}, "not a pair of tokens"),
    "repeated token": (lambda tokens: {"tokens": [*tokens[:-1], tokens[-2]]}, "repeats a token"),
    "special id": (lambda tokens: {"eos_token_id": len(tokens)}, "tokenizer.ggml.eos_token_id is"),
    "vocabulary size": (lambda tokens: {"tokens": [*tokens, "zz"]}, "rows of token_embd.weight"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_other_tokenizers_are_refused_by_field(reason: str, tiny, gguf_with, tmp_path: Path) -> None:
    changes, message = REFUSED[reason]
    with pytest.raises(CheckpointDamaged, match=message):
        prepare_base(tmp_path / "cache", source=gguf_with(**changes(tiny.tokens)))
