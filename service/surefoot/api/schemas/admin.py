"""Wire types of the admin routes."""

from __future__ import annotations

from pydantic import Field

from surefoot.api.schemas.common import Request, Response
from surefoot.registry import LoadState
from surefoot.shadow import ShadowSummary
from surefoot.succession import Beside, Labelled, Standing


class ReloadResponse(Response):
    """What a reload did."""

    name: str
    fingerprint: str
    """Of the scores from now on, as `/v1/models` shows it."""
    previous_fingerprint: str
    changed: bool
    """False where the files are those that were served already."""


class CandidateRequest(Request):
    """Which candidate to load."""

    label: str = Field(max_length=200)
    """Of one of the model's candidates in the settings; nothing else can be loaded."""


class ShadowRequest(Request):
    """How much of what is served the candidate scores too."""

    share: float = Field(ge=0, le=1, allow_inf_nan=False)
    """Of the groups that are scored; 0 ends it."""


class UnloadRequest(Request):
    """What to let go of."""

    which: Beside


class ShadowOut(Response):
    """The candidate beside the model that is served, since the shadow began."""

    share: float
    """0 once it has ended."""
    compared: int
    """Groups that both scored."""
    dropped: int
    """Groups that were left out because something waited."""
    failed: int
    """Groups on which the candidate failed."""
    mean_difference: float | None
    """Of the scores of steps, or of solutions for outcome models; null before the first, or on different scales."""
    max_difference: float
    agreement: float | None
    """Share of those scores by which both judge alike, each by its profile's threshold; null where there are none."""
    ranked: int
    """Problems with several solutions."""
    other_best: int
    """Those without a solution that is the best of both."""

    @classmethod
    def of(cls, summary: ShadowSummary) -> ShadowOut:
        """As the shadow tells it."""
        return cls(**{name: getattr(summary, name) for name in cls.model_fields})


class ModelBeside(Response):
    """A model that is loaded beside the one that is served."""

    label: str | None
    """Null for the model that the settings serve at start."""
    fingerprint: str
    profile: str
    self_check: str


class AdminModel(Response):
    """What stands by one name."""

    name: str
    state: LoadState
    detail: str
    """Why it failed, where it has."""
    fingerprint: str | None
    """Of the scores that are served; null while there are none."""
    label: str | None
    """Of the candidate that is served; null for the model that the settings serve at start."""
    candidate: ModelBeside | None
    previous: ModelBeside | None
    """What was served before the last promotion; a rollback serves it again."""
    shadow: ShadowOut | None
    """Null where the candidate was never compared."""
    loading: str | None
    """Label of the candidate that is being loaded."""
    candidates: list[str]
    """Labels that may be loaded."""
    label_after_restart: str | None
    """Of the candidate that a restart would serve, by `promotions_file`; null for the model of the settings."""

    @classmethod
    def of(cls, standing: Standing) -> AdminModel:
        """As the registry and what succeeds its models tell it."""
        place = standing.place
        return cls(
            name=standing.name,
            state=standing.state.state,
            detail=standing.state.detail,
            fingerprint=None if standing.card is None else standing.card.fingerprint,
            label=place.served_label,
            candidate=_beside(place.candidate),
            previous=_beside(place.previous),
            shadow=None if place.shadow is None else ShadowOut.of(place.shadow.summary),
            loading=place.loading,
            candidates=list(standing.labels),
            label_after_restart=standing.label_after_restart,
        )


class AdminModelList(Response):
    """Every configured model, in configured order."""

    models: list[AdminModel]


def _beside(kept: Labelled | None) -> ModelBeside | None:
    if kept is None:
        return None
    card = kept.model.card
    return ModelBeside(
        label=kept.label, fingerprint=card.fingerprint, profile=card.profile, self_check=card.self_check.state
    )
