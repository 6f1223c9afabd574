"""The policy's side of a prompt: its tokens, and what a generator may be asked for."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.domain import Message, SamplingOptions
from surefoot.errors import InputTooLong, InvalidRequest
from surefoot.ports import Tokenizer
from surefoot.rendering import ChatFrame, Turn


class PromptEncoder:
    """Conversations to the policy's prompt tokens; message text cannot forge a turn."""

    def __init__(self, tokenizer: Tokenizer, max_context_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._frame = ChatFrame(tokenizer)
        self._max_context_tokens = max_context_tokens

    def encode(self, messages: Sequence[Message], beginning: str = "") -> tuple[int, ...]:
        """Token ids up to where the assistant begins, and those of what it begins with.

        Raises `InputTooLong` when no room is left for an answer.
        """
        # So long a text is refused without tokenising it.
        fewest = self._tokenizer.fewest_tokens("".join((*(message.content for message in messages), beginning)))
        if fewest >= self._max_context_tokens:
            raise InputTooLong(fewest, self._max_context_tokens - 1, at_least=True)
        token_ids = self._frame.encode([Turn.of(message) for message in messages], add_generation_prompt=True).token_ids
        if beginning:
            token_ids = (*token_ids, *self._tokenizer.encode_text(beginning))
        if len(token_ids) >= self._max_context_tokens:
            raise InputTooLong(len(token_ids), self._max_context_tokens - 1)
        return token_ids

    def check(self, num_prompt_tokens: int, options: SamplingOptions) -> None:
        """Raises `InvalidRequest` where prompt and answer together exceed the generator's context."""
        room = self._max_context_tokens - num_prompt_tokens
        if options.max_tokens > room:
            raise InvalidRequest(
                f"the prompt has {num_prompt_tokens} tokens and the generator's context is {self._max_context_tokens}: "
                f"max_tokens can be {room} at most, not {options.max_tokens}",
                param="max_tokens",
            )
