"""What the server did to the scores of a request to make rewards of them."""

from __future__ import annotations

from dataclasses import dataclass

from surefoot_client.reading import Fields, Received, integer, list_of, number, text


@dataclass(frozen=True, slots=True)
class RewardTreatment(Received):
    """How the rewards of a response came about: `cap` (lowest and highest), then `scaling`: `none`, `group` or `batch`.

    `num_capped` scores were outside the cap. `mean` and `std` are those of the rewards after capping and before
    scaling. `num_flat_groups` are groups whose rewards are all equal: theirs became 0.
    """

    cap: tuple[float, ...] | None
    scaling: str
    num_rewards: int
    num_capped: int
    mean: float
    std: float
    num_flat_groups: int

    @classmethod
    def from_dict(cls, value: object, path: str = "rewards") -> RewardTreatment:
        """Read from JSON; raises `BadResponse`."""
        fields = Fields(value, path)
        return cls(
            cap=fields.optional("cap", list_of(number)),
            scaling=fields.required("scaling", text),
            num_rewards=fields.required("num_rewards", integer),
            num_capped=fields.required("num_capped", integer),
            mean=fields.required("mean", number),
            std=fields.required("std", number),
            num_flat_groups=fields.required("num_flat_groups", integer),
            _json=fields.json,
        )
