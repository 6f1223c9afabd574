"""The profile: everything that says how one family of reward models is rendered, read and summarised.

A profile is a TOML file; these classes are its schema. Unknown keys are refused, so that a typing error cannot
silently change a score.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from surefoot.domain import Aggregation, Kind, Scale, Splitting

ModelArchitecture = Literal["causal_lm", "token_classification", "sequence_classification"]
UnitMap = Literal["identity", "sigmoid", "half"]
"""Monotone maps to (0, 1): as it is, 1 / (1 + exp(-x)), and (x + 1) / 2 for signed scales."""

StepClass = Literal["positive", "neutral", "negative"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SplittingSpec(_Strict):
    """How a whole solution becomes steps, and what joins given steps into one text."""

    method: Splitting = "auto"
    separator: str = "\n"

    @model_validator(mode="after")
    def _separator_is_there(self) -> Self:
        if not self.separator:
            raise ValueError("splitting.separator must not be empty")
        return self


class VerdictTurns(_Strict):
    """A chat in which each step is a user turn and the assistant's whole turn is a verdict; read before each verdict.

    `first_turn` and `turn` may hold {problem}, {step} and {index} (1-based).
    """

    method: Literal["verdict_turns"]
    system: str | None = None
    first_turn: str = "{problem} {step}"
    turn: str = "{step}"
    verdict: str = "+"


class FinalVerdict(_Strict):
    """One user turn with problem and whole solution; read where the assistant's verdict would begin.

    `turn` may hold {problem} and {solution}.
    """

    method: Literal["final_verdict"]
    system: str | None = None
    turn: str = "{problem}\n{solution}"


class SeparatedSteps(_Strict):
    """Plain text: the prompt, then each step followed by the separator, each piece tokenised alone (TRL's PRMTrainer).

    Read at the last token of each separator. `prompt` may hold {problem}.
    """

    method: Literal["separated_steps"]
    prompt: str = "{problem}"
    separator: str = "\n"
    bos: bool = True


class ChatSolution(_Strict):
    """The conversation with the solution as the assistant's turn, as the chat template writes it; read at the end."""

    method: Literal["chat_solution"]
    system: str | None = None


RenderingSpec = Annotated[VerdictTurns | FinalVerdict | SeparatedSteps | ChatSolution, Field(discriminator="method")]


class TokenContrast(_Strict):
    """Softmax over the logits of two verdict tokens; `raw` is [positive, negative]."""

    method: Literal["token_contrast"]
    positive: str
    negative: str
    temperature: float = Field(1.0, gt=0)

    @property
    def architecture(self) -> ModelArchitecture:
        return "causal_lm"


class TokenClassification(_Strict):
    """Softmax over a linear head's columns; the score is the mass of the positive (and neutral) classes.

    `classes[j]` names column j.
    """

    method: Literal["token_classification"]
    classes: tuple[StepClass, ...] = ("negative", "positive")
    neutral_is_positive: bool = True
    temperature: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _classes_are_two_sided(self) -> Self:
        if len(set(self.classes)) != len(self.classes) or not {"positive", "negative"} <= set(self.classes):
            raise ValueError("readout.classes must name positive and negative once each, and neutral at most once")
        return self

    @property
    def architecture(self) -> ModelArchitecture:
        return "token_classification"


class SequenceScalar(_Strict):
    """One value for the whole input: activation((x - mean) / std)."""

    method: Literal["sequence_scalar"]
    activation: Literal["none", "sigmoid"] = "none"
    mean: float = 0.0
    std: float = Field(1.0, gt=0)
    temperature: float = Field(1.0, gt=0)

    @property
    def architecture(self) -> ModelArchitecture:
        return "sequence_classification"


ReadoutSpec = Annotated[TokenContrast | TokenClassification | SequenceScalar, Field(discriminator="method")]


class Tolerance(_Strict):
    """Largest difference of a served score from the reference's, by dtype."""

    float32: float = Field(1e-5, gt=0)
    bfloat16: float = Field(5e-3, gt=0)
    float16: float = Field(5e-3, gt=0)


class Profile(_Strict):
    """One family of reward models."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    kind: Kind
    scale: Scale
    trained: bool = True
    notice: str | None = None
    aggregation: Aggregation = "prod"
    threshold: float = Field(0.5, allow_inf_nan=False)
    unit_map: UnitMap | None = None
    max_input_tokens: int | None = Field(None, ge=1)
    tolerance: Tolerance = Tolerance()
    splitting: SplittingSpec = SplittingSpec()
    rendering: RenderingSpec
    readout: ReadoutSpec

    @property
    def scores_map_to_unit(self) -> UnitMap | None:
        """The map to (0, 1), which a probability needs none of."""
        return "identity" if self.scale == "probability" else self.unit_map

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        per_step = self.rendering.method in ("verdict_turns", "separated_steps")
        if per_step != (self.kind == "process"):
            raise ValueError(f"rendering.method {self.rendering.method!r} does not fit kind {self.kind!r}")
        if self.readout.method == "sequence_scalar":
            if self.kind != "outcome":
                raise ValueError("readout.method 'sequence_scalar' reads whole solutions: kind must be 'outcome'")
            if (self.readout.activation == "sigmoid") != (self.scale == "probability"):
                raise ValueError("scale must be 'probability' exactly when readout.activation is 'sigmoid'")
        elif self.scale != "probability":
            raise ValueError(f"readout.method {self.readout.method!r} gives scale 'probability'")
        if self.scale == "unbounded" and self.unit_map not in (None, "sigmoid"):
            raise ValueError("an unbounded scale is mapped to (0, 1) by unit_map = 'sigmoid' only")
        return self
