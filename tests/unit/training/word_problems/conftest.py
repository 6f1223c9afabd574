"""Problems of every split, drawn once."""

from collections.abc import Mapping

import pytest

from surefoot.training.word_problems.drawing import WordProblem, word_problems
from surefoot.training.word_problems.splits import TEMPLATES
from surefoot.training.word_problems.template import Split


@pytest.fixture(scope="session")
def samples() -> Mapping[Split, list[WordProblem]]:
    """300 problems of each split."""
    return {split: list(word_problems(templates, 300, seed=3)) for split, templates in TEMPLATES.items()}
