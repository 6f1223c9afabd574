"""How raw values become scores, one specification per readout.

Every readout divides by `temperature`, which calibration fits, before its activation.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from surefoot.profiles.renderings import Strict

ModelArchitecture = Literal["causal_lm", "trunk"]
"""What is loaded: a language model with its output layer, or the decoder alone, beside a head of our own."""

StepClass = Literal["positive", "neutral", "negative"]
Activation = Literal["none", "sigmoid"]


class HeadSpec(Strict):
    """Weights of a head in the checkpoint: `linear` reads `{weights}.weight` and, where there is one, `.bias`;
    `mlp_relu` reads `{weights}.0` and `{weights}.2` with a ReLU between them."""

    weights: str = "score"
    """Prefix of the tensors' names."""
    layers: Literal["linear", "mlp_relu"] = "linear"


class _Tempered(Strict):
    temperature: float = Field(1.0, gt=0, allow_inf_nan=False)


class TokenContrast(_Tempered):
    """Softmax over the logits of two words, or of three with a `neutral` one; `raw` is [positive, negative, neutral].

    `normalise = "vocabulary"` divides by the mass of the whole vocabulary instead, whose logarithm is then the third
    value of `raw`.
    """

    method: Literal["token_contrast"]
    positive: str
    negative: str
    neutral: str | None = None
    """A third word for steps that are neither: `surefoot train prm` then learns all three classes."""
    neutral_is_positive: bool = True
    """The score is the probability of positive and neutral together, else of positive alone."""
    normalise: Literal["pair", "vocabulary"] = "pair"

    @model_validator(mode="after")
    def _three_words_share_their_mass(self) -> Self:
        if self.neutral is not None and self.normalise != "pair":
            raise ValueError("readout.neutral needs readout.normalise 'pair': the words share all probability")
        if len(set(self.words)) != len(self.words):
            raise ValueError("readout.positive, negative and neutral must be different words")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """In the order of `raw`."""
        return (self.positive, self.negative, *(() if self.neutral is None else (self.neutral,)))

    @property
    def classes(self) -> tuple[StepClass, ...]:
        """What each of `words` stands for."""
        return ("positive", "negative") if self.neutral is None else ("positive", "negative", "neutral")

    @property
    def architecture(self) -> ModelArchitecture:
        return "causal_lm"


class TokenClassification(_Tempered):
    """Softmax over a head's columns. `mass`: the score is the probability of the positive (and neutral) classes;
    `difference`: P(positive) - P(negative), on a signed scale.

    `classes[j]` names column j.
    """

    method: Literal["token_classification"]
    head: HeadSpec = HeadSpec()
    classes: tuple[StepClass, ...] = ("negative", "positive")
    neutral_is_positive: bool = True
    reduce: Literal["mass", "difference"] = "mass"

    @model_validator(mode="after")
    def _classes_are_two_sided(self) -> Self:
        if len(set(self.classes)) != len(self.classes) or not {"positive", "negative"} <= set(self.classes):
            raise ValueError("readout.classes must name positive and negative once each, and neutral at most once")
        return self

    @property
    def architecture(self) -> ModelArchitecture:
        return "trunk"


class ValueHead(_Tempered):
    """One value at each position: activation(x)."""

    method: Literal["value_head"]
    head: HeadSpec = HeadSpec(weights="v_head.summary")
    activation: Activation = "sigmoid"

    @property
    def architecture(self) -> ModelArchitecture:
        return "trunk"


class SequenceScalar(_Tempered):
    """One value for the whole input: activation((x - mean) / std)."""

    method: Literal["sequence_scalar"]
    head: HeadSpec = HeadSpec()
    activation: Activation = "none"
    mean: float = Field(0.0, allow_inf_nan=False)
    std: float = Field(1.0, gt=0, allow_inf_nan=False)

    @property
    def architecture(self) -> ModelArchitecture:
        return "trunk"


class LogRatio(_Tempered):
    """beta times the sum over the solution's tokens of log p - log p_ref, up to each step's end (implicit rewards).

    The reference model is the checkpoint that the model's settings name as `reference_path`.
    """

    method: Literal["log_ratio"]
    beta: float = Field(gt=0, allow_inf_nan=False)
    cumulative: bool = True
    """Sum from the solution's first token; otherwise from the step's own first."""

    @property
    def architecture(self) -> ModelArchitecture:
        return "causal_lm"


class GenerativeVerdict(_Tempered):
    """A critique is sampled; the score is P(yes) / (P(yes) + P(no)) where its verdict stands, averaged over samples.

    `raw` holds the pairs of logits one after the other, [positive, negative] of each sample.
    """

    method: Literal["generative_verdict"]
    positive: str = " Yes"
    negative: str = " No"
    cue: str = Field("Is the solution correct?", min_length=1)
    """The last text before the verdict. A critique that never says it gets it appended (`missing_cue = "append"`)."""
    missing_cue: Literal["append", "fail"] = "append"
    stop: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Texts at which a critique ends. The cue may be one, so that nothing is drawn after it; where another ends a
    critique that never said the cue, what stands before it is kept."""
    samples: int = Field(1, ge=1, le=64)
    max_tokens: int = Field(4096, ge=1)
    sampling_temperature: float = Field(0.0, ge=0, le=2)
    """0 is greedy, for one sample."""

    @property
    def architecture(self) -> ModelArchitecture:
        return "causal_lm"

    @property
    def words(self) -> tuple[str, ...]:
        """In the order of a pair of `raw`."""
        return self.positive, self.negative

    @model_validator(mode="after")
    def _several_samples_differ(self) -> Self:
        if self.samples > 1 and self.sampling_temperature == 0:
            raise ValueError("readout.samples above 1 needs a sampling_temperature above 0: greedy critiques are equal")
        return self


ReadoutSpec = Annotated[
    TokenContrast | TokenClassification | ValueHead | SequenceScalar | LogRatio | GenerativeVerdict,
    Field(discriminator="method"),
]
