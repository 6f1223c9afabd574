"""Real tokenizers of three kinds, trained here, and scored results to put at their tokens."""

import json

import pytest
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from surefoot_client import ItemResult

CORPUS = [
    "Two bags of 3 apples and one of 4: 2 * 3 = 6 apples.\nThen 6 + 4 = 10.\n\nThe answer is \\boxed{10}.",
    "Let x = 5. So 3x + 2 = 17, as 15 + 2 = 17.\nSo the answer is 17.\n\nSo it is.",
    "Пусть x = 2. Тогда 2x = 4.\nОтвет: 4.",
    "因为 2 + 3 = 5，所以答案是 5。\n答案：5",
] * 20
SPECIAL = ("<s>", "</s>", "<unk>")


def byte_level_bpe():
    """As GPT-2's, Llama 3's and Qwen's: bytes; a character may be several tokens, and a token end one step and begin
    the next, because nothing is cut before merging."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=list(SPECIAL), initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def sentencepiece_unigram():
    """As SentencePiece's: words begin with a mark that stands for the space, and one is put before the text. What the
    vocabulary lacks is spelt in bytes."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Replace(Regex("\n"), "\u2424")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=300, special_tokens=list(SPECIAL), unk_token="<unk>")
    tokenizer.train_from_iterator(CORPUS, trainer)
    vocabulary = [tuple(entry) for entry in json.loads(tokenizer.to_str())["model"]["vocab"]]
    vocabulary += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    tokenizer.model = models.Unigram(vocabulary, unk_id=2, byte_fallback=True)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2424", "\n"),
            decoders.ByteFallback(),
            decoders.Metaspace(),
            decoders.Fuse(),
        ]
    )
    return tokenizer


def characters():
    """One token a character."""
    known = sorted({character for text in CORPUS for character in text})
    tokenizer = Tokenizer(models.WordLevel({text: i for i, text in enumerate([*SPECIAL, *known])}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


KINDS = {"byte_level_bpe": byte_level_bpe, "sentencepiece_unigram": sentencepiece_unigram, "characters": characters}


@pytest.fixture(scope="session", params=sorted(KINDS))
def tokenizer(request):
    """A policy's tokenizer as `transformers` wraps it."""
    inner = KINDS[request.param]()
    inner.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL[:2]])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def scored(text, spans, scores):
    """A process model's result over `text`."""
    steps = [
        {"index": index, "span": list(span), "score": score}
        for index, (span, score) in enumerate(zip(spans, scores, strict=True))
    ]
    return ItemResult.from_dict({"index": 0, "kind": "process", "text": text, "steps": steps, "score": 0.5})


@pytest.fixture(scope="session")
def result():
    return scored
