"""AUROC against its definition: over all pairs of a right and a wrong one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import LabelsDegenerate
from surefoot.evaluation.discrimination import auroc

# Few values, so that ties are the rule.
PAIRS = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30).filter(
    lambda pairs: len({right for _, right in pairs}) == 2
)


@given(PAIRS)
def test_it_is_the_share_of_pairs_in_order(pairs) -> None:
    right = [score for score, is_right in pairs if is_right]
    wrong = [score for score, is_right in pairs if not is_right]
    won = sum((high > low) + 0.5 * (high == low) for high in right for low in wrong)
    scores, labels = zip(*pairs, strict=True)
    assert auroc(np.array(scores), np.array(labels)) == pytest.approx(won / (len(right) * len(wrong)))


def test_labels_of_one_sort_give_none() -> None:
    with pytest.raises(LabelsDegenerate):
        auroc(np.array([0.1, 0.2]), np.array([True, True]))
