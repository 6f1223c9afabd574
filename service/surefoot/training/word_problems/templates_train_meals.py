"""Templates to train on: sweets, soup, shops, restaurants."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

MEALS = (
    Template(
        "sweets_bag",
        "A bag holds {red} red {things} and {blue} blue {things}."
        "|{p} has a bag with {red} red and {blue} blue {things} in it.",
        (
            (
                Event(
                    "",
                    "red:6-50 + blue:6-50",
                    "The bag holds {=} {things} in all.|There are {=} {things} of both colours.",
                    "How many {things} are in the bag?",
                ),
            ),
            (
                Event(
                    "For a party {p} fills more bags like this one, until there are {bags} bags in all.",
                    "it * bags:2-5",
                    "All the bags hold {=} {things}.",
                    "How many {things} are in all the bags together?",
                ),
                Event(
                    "{q} eats {taken} of them.",
                    "it - taken:4-40",
                    "After {q} has eaten, {=} {things} are there.",
                    "How many {things} are left in the bag?",
                ),
            ),
            (
                Event(
                    "Then {kids} children share all the {things} equally.",
                    "it / kids:2-12",
                    "Each of the children gets {=} {things}.|So every child gets {=} {things}.",
                    "How many {things} does each child get?",
                ),
            ),
        ),
        {"things": "candies, jelly beans, gumdrops, mints, toffees, lollipops"},
    ),
    Template(
        "cookie_jar",
        "There were {start} {things} in a jar. {p} ate {ate} of them."
        "|A jar had {start} {things} in it until {p} ate {ate}.",
        (
            (
                Event(
                    "",
                    "start:20-99 - ate:3-40",
                    "After {p} ate some there were {=} {things}.|That left {=} {things} in the jar.",
                    "How many {things} were left in the jar?",
                ),
            ),
            (
                Event(
                    "Then {q} ate {also} more.",
                    "it - also:3-30",
                    "After {q} ate some there were {=} {things}.",
                    "How many {things} did the jar have after that?",
                ),
                Event(
                    "Later, {his} grandmother put {new} fresh ones into the jar.",
                    "it + new:5-40",
                    "With the fresh ones there were {=} {things}.",
                    "How many {things} did the jar have after that?",
                ),
            ),
            (
                Event(
                    "In the evening half of all the {things} in the jar were eaten.",
                    "it / 2",
                    "In the evening {=} {things} were eaten.",
                    "How many {things} were eaten in the evening?",
                ),
                Event(
                    "In the evening {night} {things} were eaten.",
                    "it - night:4-30",
                    "At the end of the day there were {=} {things}.",
                    "How many {things} were there at the end of the day?",
                ),
            ),
        ),
        {"things": "cookies, brownies, crackers, biscuits, gingersnaps"},
    ),
    Template(
        "soup_kitchen",
        "A cook makes {pots} pots of soup. Every pot is enough for {bowls} bowls."
        "|In a soup kitchen {pots} pots are on the stove, and {bowls} bowls can be filled from each pot.",
        (
            (
                Event(
                    "",
                    "pots:2-9 * bowls:5-12",
                    "The pots are enough for {=} bowls.|The cook can fill {=} bowls of soup.",
                    "How many bowls of soup can be filled?",
                ),
            ),
            (
                Event(
                    "At lunch {lunch} bowls are served.",
                    "it - lunch:5-50",
                    "After lunch there is soup for {=} bowls.|For supper there are {=} bowls of soup.",
                    "How many bowls can still be served at supper?",
                ),
            ),
            (
                Event(
                    "At supper each table gets {table} bowls until all of the soup is gone.",
                    "it / table:2-9",
                    "The remaining soup serves {=} tables.",
                    "How many tables get soup at supper?",
                ),
                Event(
                    "For supper the cook makes enough for {extra} more bowls.",
                    "it + extra:5-30",
                    "Then the cook has soup for {=} bowls.",
                    "How many bowls of soup can be served at supper?",
                ),
            ),
        ),
    ),
    Template(
        "grocery_shelf",
        "A grocer has {boxes} boxes of {things}, each with {cans} cans."
        "|{boxes} boxes stand in a grocery store. Every box contains {cans} cans of {things}.",
        (
            (
                Event(
                    "",
                    "boxes:3-12 * cans:3-12",
                    "The boxes contain {=} cans of {things}.|The grocer has {=} cans in all the boxes.",
                    "How many cans of {things} are there?",
                ),
            ),
            (
                Event(
                    "There are also {shelf} cans on the shelf.",
                    "it + shelf:4-40",
                    "Together with the shelf there are {=} cans.",
                    "How many cans are there in the boxes and on the shelf?",
                ),
                Event(
                    "{dented} of the cans are dented and sent back.",
                    "it - dented:3-20",
                    "Without the dented cans there are {=} cans.",
                    "How many cans does the grocer keep?",
                ),
            ),
            (
                Event(
                    "That day customers buy {bought} cans.",
                    "it - bought:6-60",
                    "After the customers have bought some, {=} cans remain.",
                    "How many cans remain in the store?",
                ),
            ),
        ),
        {"things": "beans, tomato soup, corn, peas, tuna, peaches, olives"},
    ),
    Template(
        "restaurant",
        "A {place} has {small} tables with {seats} chairs at each of them."
        "|In a {place} there are {small} tables, and {seats} chairs stand around each table.",
        (
            (
                Event(
                    "",
                    "small:4-12 * seats:2-8",
                    "The {place} has {=} chairs at its tables.|At the tables there are {=} chairs.",
                    "How many chairs are at the tables?|How many chairs stand at the tables?",
                ),
            ),
            (
                Event(
                    "There are {bar} more chairs at the bar.",
                    "it + bar:3-15",
                    "Counting the bar, there are {=} chairs.",
                    "How many chairs does the {place} have with those at the bar?",
                ),
                Event(
                    "{broken} of the chairs are broken and taken away.",
                    "it - broken:3-10",
                    "Without the broken ones there are {=} chairs.",
                    "How many chairs can the {place} still use?",
                ),
            ),
            (
                Event(
                    "On {day} evening guests sit on {taken} of these chairs.",
                    "it - taken:5-60",
                    "On {day} evening there are {=} empty chairs.",
                    "How many of the chairs are empty that evening?",
                ),
            ),
        ),
        {"place": "restaurant, diner, café, bistro"},
    ),
)
