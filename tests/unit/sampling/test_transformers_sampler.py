"""Candidates of the transformers sampler, against log-probabilities recomputed by one plain forward pass."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers

from surefoot.domain import Message, SampledCandidate, SamplingOptions
from surefoot.errors import InputTooLong, InvalidRequest
from surefoot.sampling.transformers_sampler import TransformersSampler

MESSAGES = [Message("user", "What is 2 + 3?")]
OPTIONS = SamplingOptions(n=4, temperature=1.0, top_p=1.0, max_tokens=12, seed=5, logprobs=True)
GREEDY = replace(OPTIONS, n=1, temperature=0.0)
TOLERANCE = 1e-4


@pytest.fixture
def ending_sampler(open_sampler, tiny, tmp_path: Path) -> TransformersSampler:
    """A policy in which every eighth token ends a turn."""
    directory = Path(shutil.copytree(tiny("llama"), tmp_path / "ending"))
    config = transformers.GenerationConfig(eos_token_id=list(range(0, 320, 8)))
    config.save_pretrained(directory)
    return open_sampler(directory)


@pytest.fixture(scope="module")
def plain(tiny) -> Callable[[Sequence[int], Sequence[int]], torch.Tensor]:
    """Log-probabilities [drawn tokens, vocabulary] given everything before each drawn token."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny("llama"), dtype=torch.float32).eval()

    def log_softmax(prompt: Sequence[int], drawn: Sequence[int]) -> torch.Tensor:
        with torch.inference_mode():
            logits = model(torch.tensor([[*prompt, *drawn]]), use_cache=False).logits[0]
        return logits[len(prompt) - 1 : -1].log_softmax(-1)

    return log_softmax


async def draw(sampler: TransformersSampler, options: SamplingOptions = OPTIONS) -> list[SampledCandidate]:
    """All candidates, by index."""
    prompt = await sampler.encode_prompt(MESSAGES)
    async with asyncio.timeout(30):
        drawn = [candidate async for candidate in sampler.sample(prompt, options)]
    return sorted(drawn, key=lambda candidate: candidate.index)


async def test_n_candidates_are_numbered_from_zero(sampler) -> None:
    assert [candidate.index for candidate in await draw(sampler)] == [0, 1, 2, 3]


async def test_a_candidate_does_not_depend_on_how_many_are_drawn_beside_it(sampler) -> None:
    many = await draw(sampler)
    few = await draw(sampler, replace(OPTIONS, n=2))
    assert [candidate.token_ids for candidate in many[:2]] == [candidate.token_ids for candidate in few]


async def test_neighbouring_seeds_share_no_candidate(sampler) -> None:
    first, second = await draw(sampler), await draw(sampler, replace(OPTIONS, seed=OPTIONS.seed + 1))
    assert {candidate.token_ids for candidate in first}.isdisjoint(candidate.token_ids for candidate in second)


async def test_candidates_differ_from_each_other(sampler) -> None:
    assert len({candidate.token_ids for candidate in await draw(sampler)}) == OPTIONS.n


async def test_without_a_seed_draws_differ(sampler) -> None:
    unseeded = replace(OPTIONS, seed=None)
    first, second = await draw(sampler, unseeded), await draw(sampler, unseeded)
    assert {candidate.token_ids for candidate in first}.isdisjoint(candidate.token_ids for candidate in second)


async def test_max_tokens_ends_a_candidate_for_its_length(sampler) -> None:
    ended = [c for c in await draw(sampler) if c.finish_reason == "length"]
    assert ended
    assert {len(candidate.token_ids) for candidate in ended} == {OPTIONS.max_tokens}


async def test_end_of_turn_token_ends_a_candidate(ending_sampler) -> None:
    for candidate in await draw(ending_sampler, replace(OPTIONS, max_tokens=200, n=6)):
        assert candidate.finish_reason == "stop"
        # The tokenizer's own end of a turn, 259, ends one as well.
        ends = [token % 8 == 0 or token == 259 for token in candidate.token_ids]
        assert ends == [False] * (len(candidate.token_ids) - 1) + [True]


async def test_tokenizers_end_of_turn_token_ends_a_candidate(open_sampler, tiny, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(tiny("llama", head_scale=0.0), tmp_path / "flat"))
    (directory / "generation_config.json").unlink()
    wrapper = transformers.PreTrainedTokenizerFast.from_pretrained(directory)
    wrapper.eos_token = "!"
    wrapper.save_pretrained(directory)
    # All logits are equal here, and the first of equals is token 0, which spells "!".
    (candidate,) = await draw(open_sampler(directory), GREEDY)
    assert (candidate.token_ids, candidate.finish_reason) == ((0,), "stop")


async def test_stop_string_ends_a_candidate_and_is_left_out(sampler) -> None:
    (whole,) = await draw(sampler, GREEDY)
    stop = whole.text[3]
    (stopped,) = await draw(sampler, replace(GREEDY, stop=(stop, "never drawn")))
    assert stopped.text == whole.text[: whole.text.index(stop)]
    assert stopped.finish_reason == "stop"


async def test_stopped_candidate_keeps_its_tokens_up_to_the_stop(sampler) -> None:
    (whole,) = await draw(sampler, GREEDY)
    (stopped,) = await draw(sampler, replace(GREEDY, stop=(whole.text[3],)))
    assert whole.token_ids[: len(stopped.token_ids)] == stopped.token_ids
    assert len(stopped.token_ids) < len(whole.token_ids)


async def test_logprobs_equal_a_plain_recomputation(sampler, plain) -> None:
    prompt = await sampler.encode_prompt(MESSAGES)
    for candidate in await draw(sampler):
        expected = plain(prompt.token_ids, candidate.token_ids)[
            range(len(candidate.token_ids)), list(candidate.token_ids)
        ]
        assert candidate.logprobs == pytest.approx(expected.tolist(), abs=TOLERANCE)


async def test_logprobs_are_the_policys_own_whatever_the_truncation(sampler, plain) -> None:
    prompt = await sampler.encode_prompt(MESSAGES)
    (candidate, *_) = await draw(sampler, replace(OPTIONS, temperature=0.3, top_p=0.5, top_k=3))
    expected = plain(prompt.token_ids, candidate.token_ids)[range(len(candidate.token_ids)), list(candidate.token_ids)]
    assert candidate.logprobs == pytest.approx(expected.tolist(), abs=TOLERANCE)


async def test_logprobs_stay_right_after_other_rows_have_ended(ending_sampler, plain) -> None:
    prompt = await ending_sampler.encode_prompt(MESSAGES)
    candidates = await draw(ending_sampler, replace(OPTIONS, n=8, max_tokens=40))
    longest = max(candidates, key=lambda candidate: len(candidate.token_ids))
    assert len({len(candidate.token_ids) for candidate in candidates}) > 2
    expected = plain(prompt.token_ids, longest.token_ids)[range(len(longest.token_ids)), list(longest.token_ids)]
    assert longest.logprobs == pytest.approx(expected.tolist(), abs=TOLERANCE)


async def test_cumulative_logprob_is_the_sum(sampler) -> None:
    for candidate in await draw(sampler):
        assert candidate.cumulative_logprob == pytest.approx(sum(candidate.logprobs))


async def test_logprobs_are_given_on_request_only(sampler) -> None:
    assert {candidate.logprobs for candidate in await draw(sampler, replace(OPTIONS, logprobs=False))} == {None}


async def test_greedy_takes_the_likeliest_token(sampler, plain) -> None:
    prompt = await sampler.encode_prompt(MESSAGES)
    (candidate,) = await draw(sampler, GREEDY)
    assert plain(prompt.token_ids, candidate.token_ids).argmax(-1).tolist() == list(candidate.token_ids)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}])
async def test_narrowest_sampling_is_greedy(sampler, narrow: dict) -> None:
    (greedy,) = await draw(sampler, GREEDY)
    (narrowed,) = await draw(sampler, replace(OPTIONS, n=1, **narrow))
    assert narrowed.token_ids == greedy.token_ids


async def test_candidates_come_as_they_end(ending_sampler) -> None:
    prompt = await ending_sampler.encode_prompt(MESSAGES)
    options = replace(OPTIONS, n=8, max_tokens=40)
    lengths = [len(candidate.token_ids) async for candidate in ending_sampler.sample(prompt, options)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


def count_passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch size of every forward pass from now on."""
    sizes: list[int] = []
    forward = transformers.LlamaForCausalLM.forward

    def counted(model, *arguments, **options):
        sizes.append(len(options["input_ids"]))
        return forward(model, *arguments, **options)

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", counted)
    return sizes


async def test_closing_the_iterator_stops_drawing(ending_sampler, monkeypatch) -> None:
    prompt = await ending_sampler.encode_prompt(MESSAGES)
    passes = count_passes(monkeypatch)
    async with aclosing(ending_sampler.sample(prompt, replace(OPTIONS, n=16, max_tokens=200))) as candidates:
        async for _ in candidates:
            break
    after = len(passes)
    await draw(ending_sampler, replace(GREEDY, max_tokens=1))
    assert len(passes) == after + 1


async def test_ended_candidates_leave_the_batch(ending_sampler, monkeypatch) -> None:
    await ending_sampler.start()
    passes = count_passes(monkeypatch)
    await draw(ending_sampler, replace(OPTIONS, n=8, max_tokens=40))
    assert passes[0] == 1
    assert passes[1:] == sorted(passes[1:], reverse=True)
    assert passes[-1] < 8


async def test_two_requests_at_once_each_get_their_own(sampler) -> None:
    alone = await draw(sampler), await draw(sampler, replace(OPTIONS, seed=50))
    together = await asyncio.gather(draw(sampler), draw(sampler, replace(OPTIONS, seed=50)))
    assert [[c.token_ids for c in group] for group in together] == [[c.token_ids for c in group] for group in alone]


async def test_text_is_the_decoded_tokens(sampler) -> None:
    (candidate,) = await draw(sampler, GREEDY)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained((await sampler._started()).source.directory)
    assert candidate.text == tokenizer.decode(candidate.token_ids, skip_special_tokens=True)


async def test_prompt_is_the_chat_template_up_to_the_answer(sampler) -> None:
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained((await sampler._started()).source.directory)
    text = "<|im_start|>user\nWhat is 2 + 3?<|im_end|>\n<|im_start|>assistant\n"
    assert list((await sampler.encode_prompt(MESSAGES)).token_ids) == tokenizer.encode(text, add_special_tokens=False)


async def test_a_candidate_goes_on_from_the_beginning(sampler, plain) -> None:
    """As drawn behind the prompt with the beginning's tokens, none of which is the candidate's."""
    prompt = await sampler.encode_prompt(MESSAGES, beginning="2 + 3 = 5\n")
    [candidate] = [drawn async for drawn in sampler.sample(prompt, GREEDY)]
    assert list(candidate.token_ids) == plain(prompt.token_ids, candidate.token_ids).argmax(-1).tolist()


async def test_a_candidate_behind_a_beginning_keeps_the_space_in_front(open_sampler, tiny, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(tiny("math-shepherd"), tmp_path / "spaced"))
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(directory)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    tokenizer.save_pretrained(directory)
    sampler = open_sampler(directory)
    prompt = await sampler.encode_prompt(MESSAGES, beginning="the")
    begun = prompt.token_ids[len((await sampler.encode_prompt(MESSAGES)).token_ids) :]
    drawn = [candidate async for candidate in sampler.sample(prompt, replace(OPTIONS, n=64, max_tokens=3))]
    assert any(candidate.text.startswith(" ") for candidate in drawn)
    for candidate in drawn:
        assert tokenizer.decode([*begun, *candidate.token_ids], skip_special_tokens=True) == f"the{candidate.text}"


async def test_prompt_without_room_for_an_answer_is_too_long(open_sampler, tiny) -> None:
    sampler = open_sampler(tiny("llama"), max_context_tokens=64)
    with pytest.raises(InputTooLong, match="limit 63"):
        await sampler.encode_prompt([Message("user", "x" * 100)])


async def test_max_tokens_beyond_the_context_are_refused_with_the_room(sampler) -> None:
    prompt = await sampler.encode_prompt(MESSAGES)
    with pytest.raises(InvalidRequest, match=f"max_tokens can be {256 - len(prompt.token_ids)} at most") as caught:
        await draw(sampler, replace(OPTIONS, max_tokens=256 - len(prompt.token_ids) + 1))
    assert caught.value.param == "max_tokens"


async def test_context_may_be_filled_to_the_last_token(open_sampler, tiny) -> None:
    sampler = open_sampler(tiny("llama"), max_context_tokens=64)
    room = 64 - len((await sampler.encode_prompt(MESSAGES)).token_ids)
    (candidate,) = await draw(sampler, replace(GREEDY, max_tokens=room))
    assert len(candidate.token_ids) == room
