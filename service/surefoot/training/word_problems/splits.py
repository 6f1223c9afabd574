"""The templates of each split. None is in two: who has learned from one split has seen no situation of another."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from surefoot.training.word_problems.template import Split, Template
from surefoot.training.word_problems.templates_for_test_days import DAYS
from surefoot.training.word_problems.templates_for_test_home import HOME
from surefoot.training.word_problems.templates_sums import SUMS
from surefoot.training.word_problems.templates_train_food import FOOD
from surefoot.training.word_problems.templates_train_games import GAMES
from surefoot.training.word_problems.templates_train_hobbies import HOBBIES
from surefoot.training.word_problems.templates_train_meals import MEALS
from surefoot.training.word_problems.templates_train_town import TOWN
from surefoot.training.word_problems.templates_train_work import WORK
from surefoot.training.word_problems.templates_validation import VALIDATION

TEMPLATES: Mapping[Split, tuple[Template, ...]] = MappingProxyType(
    {
        "train": (*FOOD, *MEALS, *HOBBIES, *GAMES, *WORK, *TOWN),
        "validation": VALIDATION,
        "test": (*DAYS, *HOME),
        "sums": SUMS,
    }
)
