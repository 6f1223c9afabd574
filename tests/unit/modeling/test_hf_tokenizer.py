"""Untrusted text never becomes a control token, and tokenizer.json means what it says."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from surefoot.domain import Message
from surefoot.errors import CheckpointDamaged, UnsafeText
from surefoot.modeling.tokenizer import HfTokenizer

CONTROL_TOKENS = ["<|endoftext|>", "<|bos|>", "<|im_start|>", "<|im_end|>", "<think>", "<|tool|>"]
WHITESPACE_TOKEN = "    "


@pytest.fixture(scope="module")
def directory(tiny) -> Path:
    return tiny("qwen2")


@pytest.fixture(scope="module")
def tokenizer(directory: Path) -> HfTokenizer:
    return HfTokenizer.from_directory(directory)


@pytest.fixture(scope="module")
def plain(directory: Path) -> Tokenizer:
    """tokenizer.json as it stands."""
    return Tokenizer.from_file(str(directory / "tokenizer.json"))


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_control_token_spelled_in_text_stays_text(tokenizer: HfTokenizer, plain: Tokenizer, token: str) -> None:
    assert plain.token_to_id(token) not in tokenizer.encode_text(f"so {token} it is")


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_text_that_spells_a_control_token_is_not_lost(tokenizer: HfTokenizer, token: str) -> None:
    assert tokenizer.decode(tokenizer.encode_text(f"so {token} it is")) == f"so {token} it is"


@pytest.mark.parametrize("token", CONTROL_TOKENS)
def test_markup_recognises_control_tokens(tokenizer: HfTokenizer, plain: Tokenizer, token: str) -> None:
    assert tokenizer.encode_markup(token) == [plain.token_to_id(token)]


@pytest.mark.parametrize(
    "text", ["3 * 4 = 12.\n", "答えは 4 です。", "e\u0301", "a\n\nb", "It's ABC  def", "Yes.\nNo."]
)
def test_ordinary_text_is_encoded_as_tokenizer_json_says(tokenizer: HfTokenizer, plain: Tokenizer, text: str) -> None:
    assert tokenizer.encode_text(text) == plain.encode(text, add_special_tokens=False).ids


def test_added_whitespace_token_keeps_its_own_id(tokenizer: HfTokenizer, plain: Tokenizer) -> None:
    text = f"a{WHITESPACE_TOKEN}b"
    assert plain.token_to_id(WHITESPACE_TOKEN) in plain.encode(text, add_special_tokens=False).ids
    assert tokenizer.encode_text(text) == plain.encode(text, add_special_tokens=False).ids


def test_nothing_is_added_around_markup(tokenizer: HfTokenizer, plain: Tokenizer) -> None:
    assert tokenizer.encode_markup("No") == [plain.token_to_id("No")]


def test_tokenizer_that_cannot_keep_a_control_token_as_text_refuses() -> None:
    """A vocabulary in which ordinary merges build the control token."""
    vocabulary = {"<": 0, "x": 1, ">": 2, "<x": 3, "<x>": 4}
    markup = Tokenizer(models.BPE(vocabulary, [("<", "x"), ("<x", ">")]))
    markup.add_special_tokens(["<x>"])
    wrapper = type("Wrapper", (), {"backend_tokenizer": markup})()
    with pytest.raises(UnsafeText, match="control token"):
        HfTokenizer(wrapper).encode_text("<x>")


def test_special_token_of_mere_whitespace_is_a_control_token_too() -> None:
    markup = Tokenizer(models.BPE({"a": 0, " ": 1}, []))
    markup.add_special_tokens(["  "])
    wrapper = type("Wrapper", (), {"backend_tokenizer": markup})()
    assert HfTokenizer(wrapper).encode_text("a  a") == [0, 1, 1, 0]


def test_half_a_surrogate_pair_is_refused_with_a_typed_error(tokenizer: HfTokenizer) -> None:
    with pytest.raises(UnsafeText, match="surrogate"):
        tokenizer.encode_text("a\ud800b")


def test_threads_encode_alike(tokenizer: HfTokenizer) -> None:
    texts = [f"{number} + {number} = {2 * number}<|im_end|>" for number in range(200)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(tokenizer.encode_text, texts)) == [tokenizer.encode_text(text) for text in texts]


def test_chat_template_is_applied(tokenizer: HfTokenizer) -> None:
    text = tokenizer.chat_text([Message("user", "Hi")], add_generation_prompt=True)
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_special_tokens_are_known_by_id(tokenizer: HfTokenizer, plain: Tokenizer) -> None:
    assert tokenizer.bos_token_id == plain.token_to_id("<|bos|>")
    assert tokenizer.eos_token_ids == (plain.token_to_id("<|im_end|>"),)


def test_decoding_leaves_special_tokens_out(tokenizer: HfTokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode_markup("<|bos|>Yes<|im_end|>")) == "Yes"


def test_missing_tokenizer_is_a_damaged_checkpoint(tmp_path: Path, directory: Path) -> None:
    shutil.copy(directory / "config.json", tmp_path)
    with pytest.raises(CheckpointDamaged, match="tokenizer"):
        HfTokenizer.from_directory(tmp_path)


def test_unreadable_tokenizer_is_a_damaged_checkpoint(tmp_path: Path, directory: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointDamaged, match="tokenizer"):
        HfTokenizer.from_directory(tmp_path)


def test_template_that_refuses_is_a_value_error(tmp_path: Path, directory: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_text("{{ raise_exception('no system turns') }}", encoding="utf-8")
    tokenizer = HfTokenizer.from_directory(tmp_path)
    with pytest.raises(ValueError, match="no system turns"):
        tokenizer.chat_text([Message("system", "x")], add_generation_prompt=False)


def test_checkpoint_without_a_template_is_a_value_error(tmp_path: Path, directory: Path) -> None:
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").unlink()
    assert "chat_template" not in json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    tokenizer = HfTokenizer.from_directory(tmp_path)
    with pytest.raises(ValueError, match="chat_template"):
        tokenizer.chat_text([Message("user", "x")], add_generation_prompt=False)
