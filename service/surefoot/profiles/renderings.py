"""How a problem and its steps are written for a model, one specification per way of writing.

Templates may hold {problem}, {solution}, {step} and {index} (1-based) where the class says so.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """Refuses unknown keys, so that a typing error cannot silently change a score."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ChatRendering(Strict):
    """What all renderings through the model's chat template have in common."""

    system: str | None = None
    """System message; a caller's own goes before it. Without one the template decides."""
    template_variables: dict[str, str] = {}
    """Variables for the chat template, like the `date_string` of Llama 3.1, which would otherwise change every day."""


class VerdictTurns(ChatRendering):
    """A chat in which each step is a user turn and the assistant's whole turn is a verdict; read before each verdict.

    `first_turn` and `turn` may hold {problem}, {step} and {index}.
    """

    method: Literal["verdict_turns"]
    first_turn: str = "{problem} {step}"
    turn: str = "{step}"
    verdict: str = "+"


class FinalVerdict(ChatRendering):
    """One user turn with problem and whole solution; read where the assistant's verdict begins.

    `turn` may hold {problem} and {solution}.
    """

    method: Literal["final_verdict"]
    turn: str = "{problem}\n{solution}"
    step: str | None = None
    """How each step is written in {solution}, one a line; without it the solution stands as it was sent. A step that
    begins with "Step <number>:" already is not numbered again."""
    verdict: str | None = None
    """Written after the place that is read, as some families were trained; never read itself."""
    opening: str = ""
    """How the assistant's turn begins before the place that is read, where a verifier was trained to begin so."""

    @model_validator(mode="after")
    def _the_answer_begins_in_one_way(self) -> Self:
        if self.opening and self.verdict is not None:
            raise ValueError("rendering.opening and rendering.verdict are two ways to begin the answer: give one")
        return self


class ChatSolution(ChatRendering):
    """The conversation with the solution as the assistant's turn, as the chat template writes it; read at the end."""

    method: Literal["chat_solution"]
    append: str | None = None
    """A control token put at the end, which is then the one that is read."""
    trim_end: bool = False
    """Drop the white space that the template writes after the last turn: the token that ends the turn is read."""


class TaggedChat(ChatRendering):
    """The conversation with a control token after each step of the assistant's turn; read at each of them."""

    method: Literal["tagged_chat"]
    tag: str
    """A control token of the model's vocabulary."""


class ChatSteps(ChatRendering):
    """The conversation with the steps joined in the assistant's turn; read at each step's end (log-ratio models)."""

    method: Literal["chat_steps"]
    step: str = "Step {index}: {step}"
    """A step that begins with "Step <number>:" already is not numbered again."""
    joiner: str = "\n\n"
    boundary: Literal["step_end", "eurus"] = "step_end"
    """`step_end`: a step's last token; the sum begins with the solution. `eurus`: as the family's published script
    counts: it tokenises each beginning of the conversation by itself, its turn closed and the joiner after that, and
    reads at as many tokens in the whole; its sum begins one token before the solution."""


class SeparatedSteps(Strict):
    """Plain text: the prompt, then each step followed by the separator, each piece tokenised alone.

    Read at the last token of each separator, or of each step where the separator is empty. `prompt` may hold {problem},
    `earlier_turn` {text}.
    """

    method: Literal["separated_steps"]
    earlier_turn: str | None = None
    """How each earlier turn of a conversation is written before the prompt; without it conversations are refused."""
    prompt: str = "{problem}"
    separator: str = "\n"
    bos: bool = True
    """Begin with the tokenizer's BOS, where it has one."""
    blank_lines: bool = False
    """Blank lines between two steps of a solution become separators of their own, which are not read."""
    read: Literal["last", "before_last"] = "last"
    """`before_last`: one token earlier, for models whose published script reads there."""


class TaggedText(Strict):
    """Plain text, tokenised whole: the prompt, then each step and its tag; read at each tag's last token.

    `prompt` may hold {problem}, `step` {step} and {index}.
    """

    method: Literal["tagged_text"]
    prompt: str = "{problem} "
    step: str = "Step {index}: {step}"
    """A step that begins with "Step <number>:" already is not numbered again."""
    tag: str = " ки"
    joiner: str = "\n"
    """Between a tag and the next step."""
    bos: bool = True
    tag_is_one_token: bool = True
    """Refuse a tokenizer, and an input, in which the tag is not exactly the one token it is by itself."""


RenderingSpec = Annotated[
    VerdictTurns | FinalVerdict | ChatSolution | TaggedChat | ChatSteps | SeparatedSteps | TaggedText,
    Field(discriminator="method"),
]

PER_STEP_METHODS = frozenset({"verdict_turns", "tagged_chat", "chat_steps", "separated_steps", "tagged_text"})
"""Renderings that are read once a step; the others are read once."""
