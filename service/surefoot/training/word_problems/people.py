"""Whom problems are about, and words that any problem may draw."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Pronoun = Literal["she", "he"]

NAMES: Mapping[Pronoun, tuple[str, ...]] = MappingProxyType(
    {
        "she": (
            *("Ana", "Aisha", "Beth", "Carmen", "Chloe", "Dana", "Elena", "Emma", "Fatima", "Grace", "Hana", "Irene"),
            *("Julia", "Karen", "Leila", "Lucy", "Maria", "Mei", "Nadia", "Nora", "Olga", "Priya", "Rosa", "Sofia"),
            *("Tara", "Vera", "Wendy", "Yuki", "Zoe", "Amara"),
        ),
        "he": (
            *("Adam", "Ahmed", "Ben", "Carlos", "Chen", "Daniel", "David", "Diego", "Emeka", "Felix", "George", "Hugo"),
            *("Ivan", "Jack", "Jonas", "Kofi", "Leo", "Liam", "Marco", "Noah", "Omar", "Paul", "Ravi", "Sam"),
            *("Tom", "Viktor", "Walter", "Yusuf", "Peter", "Hiro"),
        ),
    }
)

PRONOUNS: Mapping[Pronoun, Mapping[str, str]] = MappingProxyType(
    {
        "she": {"he": "she", "his": "her", "him": "her"},
        "he": {"he": "he", "his": "his", "him": "him"},
    }
)
"""What stands in the slots of that name."""

SHARED_CHOICES: Mapping[str, str] = MappingProxyType(
    {"day": "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday"}
)
