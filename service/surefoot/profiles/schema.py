"""The profile: everything that says how one family of reward models is rendered, read and summarised.

A profile is a TOML file; these classes are its schema (docs/profiles.md shows it by example).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from surefoot.domain import OPTIONAL_AGGREGATIONS, Aggregation, Kind, Scale, Splitting
from surefoot.profiles.readouts import GenerativeVerdict, ReadoutSpec
from surefoot.profiles.renderings import PER_STEP_METHODS, FinalVerdict, RenderingSpec, Strict

UnitMap = Literal["identity", "sigmoid", "half"]
"""Monotone maps to (0, 1): as it is, 1 / (1 + exp(-x)), and (x + 1) / 2 for signed scales."""

Overflow = Literal["refuse", "truncate_left"]


class SplittingSpec(Strict):
    """How a whole solution becomes steps, and what joins given steps into one text."""

    method: Splitting = "auto"
    separator: str = "\n"

    @model_validator(mode="after")
    def _separator_is_there(self) -> Self:
        if not self.separator:
            raise ValueError("splitting.separator must not be empty")
        return self


class Tolerance(Strict):
    """Largest difference of a served score from the reference's, by dtype; beyond 1, of unbounded rewards, relative."""

    float32: float = Field(1e-5, gt=0)
    bfloat16: float = Field(2e-2, gt=0)
    """On a CPU attention is computed in other blocks than a plain pass takes; rounding to bf16 moves a score as far."""
    float16: float = Field(5e-3, gt=0)
    across_dtypes: float = Field(5e-2, gt=0)
    """Of a score in half precision from a golden value, which is fp32: rounding alone moves a score by some 0.03."""


class Golden(Strict):
    """A solution and the scores that the reference gave it (`surefoot models pin`)."""

    problem: str
    steps: tuple[str, ...] = Field(min_length=1)
    scores: tuple[Annotated[float, Field(allow_inf_nan=False)], ...]
    """One per step; for an outcome model one."""


class Profile(Strict):
    """One family of reward models."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    title: str
    reference: str | None = None
    """Where the published model, and the code that its scores are held against, are to be found."""
    kind: Kind
    scale: Scale
    trained: bool = True
    notice: str | None = None
    """Said wherever the model is listed."""
    aggregation: Aggregation = "prod"
    extra_aggregations: tuple[Aggregation, ...] = ()
    """Of `sum` and `soft_min`, those that the family defines; the others are there on every scale that allows them."""
    threshold: float = Field(0.5, allow_inf_nan=False)
    unit_map: UnitMap | None = None
    max_input_tokens: int | None = Field(None, ge=1)
    overflow: Overflow = "refuse"
    """`truncate_left` drops the beginning, problem first, as long as no place that is read is lost."""
    tolerance: Tolerance = Tolerance()
    splitting: SplittingSpec = SplittingSpec()
    rendering: RenderingSpec
    readout: ReadoutSpec
    golden: tuple[Golden, ...] = ()

    @property
    def scores_map_to_unit(self) -> UnitMap | None:
        """The map to (0, 1), which a probability needs none of."""
        return "identity" if self.scale == "probability" else self.unit_map

    @property
    def scale_of_readout(self) -> Scale:
        """The scale that the readout's values are on."""
        match self.readout.method:
            case "token_contrast" | "generative_verdict":
                return "probability"
            case "token_classification":
                return "signed" if self.readout.reduce == "difference" else "probability"
            case "value_head" | "sequence_scalar":
                return "probability" if self.readout.activation == "sigmoid" else "unbounded"
            case "log_ratio":
                return "unbounded"

    def standing(self, *, is_adapted: bool) -> tuple[bool, str | None]:
        """Whether a model is trained, and what is to be said of its scores: an adapter makes a trained model of a base
        that is none by the profile."""
        return (True, None) if is_adapted and not self.trained else (self.trained, self.notice)

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        per_step = self.rendering.method in PER_STEP_METHODS
        if per_step != (self.kind == "process"):
            raise ValueError(f"rendering.method {self.rendering.method!r} does not fit kind {self.kind!r}")
        if self.readout.method in ("sequence_scalar", "generative_verdict") and self.kind != "outcome":
            raise ValueError(f"readout.method {self.readout.method!r} reads whole solutions: kind must be 'outcome'")
        if (self.readout.method == "log_ratio") != (self.rendering.method == "chat_steps"):
            raise ValueError("rendering.method 'chat_steps' and readout.method 'log_ratio' belong together")
        if isinstance(self.readout, GenerativeVerdict) and (
            not isinstance(self.rendering, FinalVerdict) or self.rendering.verdict is not None
        ):
            raise ValueError(
                "readout.method 'generative_verdict' needs rendering.method 'final_verdict' without a verdict, which "
                "the model writes itself"
            )
        return self

    @model_validator(mode="after")
    def _scale_fits(self) -> Self:
        if self.scale != self.scale_of_readout:
            raise ValueError(
                f"readout.method {self.readout.method!r} as it is set gives scale {self.scale_of_readout!r}"
            )
        if self.scale == "unbounded" and self.unit_map not in (None, "sigmoid"):
            raise ValueError("an unbounded scale is mapped to (0, 1) by unit_map = 'sigmoid' only")
        return self

    @model_validator(mode="after")
    def _aggregations_fit(self) -> Self:
        if set(self.extra_aggregations) - OPTIONAL_AGGREGATIONS:
            raise ValueError("extra_aggregations may hold 'sum' and 'soft_min'")
        if self.aggregation in OPTIONAL_AGGREGATIONS and self.aggregation not in self.extra_aggregations:
            raise ValueError(f"aggregation {self.aggregation!r} must stand in extra_aggregations too")
        return self

    @model_validator(mode="after")
    def _golden_values_line_up(self) -> Self:
        for place, golden in enumerate(self.golden):
            if len(golden.scores) != (len(golden.steps) if self.kind == "process" else 1):
                raise ValueError(f"golden[{place}].scores must hold one per step, and one for an outcome model")
        return self
