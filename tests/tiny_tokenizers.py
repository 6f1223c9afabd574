"""Tiny tokenizers of the three kinds that the published families have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SPECIAL_TOKENS = ("<|endoftext|>", "<|bos|>", "<|im_start|>", "<|im_end|>")
CONTROL_TOKENS_NOT_MARKED_SPECIAL = ("<think>", "<|tool|>")
WHITESPACE_TOKEN = "    "
LINE_END, SPACE = "\u010a", "\u0120"
"""How a byte-level vocabulary spells them."""

Merges = tuple[tuple[str, str], ...]
# ".\n" becomes one token, so that a text tokenised whole differs from its pieces tokenised alone.
MERGES: Merges = (("Y", "e"), ("Ye", "s"), ("N", "o"), (".", LINE_END))
BLANK_LINE: Merges = ((LINE_END, LINE_END),)
SIGNS: Merges = ((SPACE, "+"), (SPACE, "-"))
# " ки" byte by byte.
STEP_TAG: Merges = (("Ð", "º"), ("Ð", "¸"), ("Ðº", "Ð¸"), (SPACE, "ÐºÐ¸"))

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3 = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}<|begin_of_text|>"
    "{% if messages[0]['role'] == 'system' %}{% set start = messages[0]['content'] | trim %}"
    "{% set messages = messages[1:] %}{% else %}{% set start = '' %}{% endif %}"
    "<|start_header_id|>system<|end_header_id|>\n\nToday Date: {{ date_string }}\n\n{{ start }}<|eot_id|>"
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] | trim }}<|eot_id|>"
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)


def write_chatml(directory: Path) -> None:
    """Byte-level, ChatML."""
    _write_byte_level(directory, SPECIAL_TOKENS, MERGES, CHATML, bos="<|bos|>", eos="<|im_end|>")


def write_tagged_chatml(directory: Path) -> None:
    """As Qwen's and InternLM2's: step tag and reward token in the vocabulary, a blank line is one token."""
    special = (*SPECIAL_TOKENS, "<extra_0>", "[UNUSED_TOKEN_130]")
    _write_byte_level(directory, special, MERGES + BLANK_LINE, CHATML, bos="<|bos|>", eos="<|im_end|>")


def write_llama3(directory: Path) -> None:
    """As Llama 3.1's: a template that trims and writes a date, " ки" and the signs behind a space are one token."""
    special = ("<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")
    merges = MERGES + BLANK_LINE + SIGNS + STEP_TAG
    _write_byte_level(directory, special, merges, LLAMA3, bos="<|begin_of_text|>", eos="<|eot_id|>")


def _write_byte_level(
    directory: Path, special: Sequence[str], merges: Merges, template: str, *, bos: str, eos: str
) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *special, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    tokenizer.add_tokens([AddedToken(token, special=False) for token in CONTROL_TOKENS_NOT_MARKED_SPECIAL])
    tokenizer.add_tokens([AddedToken(WHITESPACE_TOKEN, special=False)])
    wrapper = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=bos, eos_token=eos, pad_token=special[0], unk_token=special[0]
    )
    wrapper.chat_template = template
    wrapper.save_pretrained(directory)


def write_metaspace(directory: Path) -> None:
    """As Mistral's and Llama 2's: SentencePiece with byte fallback, a space put in front of every text."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    merges = [("▁", "к"), ("▁к", "и"), ("▁", "+"), ("▁", "-"), ("▁", "t"), ("▁t", "h"), ("▁th", "e")]
    special = ("<unk>", "<s>", "</s>")
    characters = [*map(chr, range(0x21, 0x7F)), "▁", "к", "и", "é"]
    tokens = [*special, *(f"<0x{byte:02X}>" for byte in range(256)), *characters, *("".join(pair) for pair in merges)]
    model = models.BPE(
        {token: index for index, token in enumerate(tokens)},
        merges,
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(directory)
