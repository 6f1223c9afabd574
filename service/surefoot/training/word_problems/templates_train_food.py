"""Templates to train on: baking, picking, eating."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

FOOD = (
    Template(
        "bakery",
        "{p} bakes {trays} trays of {things} with {per} {things} on each tray."
        "|{p} takes {trays} trays out of the oven. There are {per} {things} on every tray.",
        (
            (
                Event(
                    "",
                    "trays:3-9 * per:4-12",
                    "{p} bakes {=} {things} in total.|There are {=} {things} on the trays.",
                    "How many {things} does {p} have?|How many {things} are on the trays altogether?",
                ),
            ),
            (
                Event(
                    "{he} sells {sold} of them in the morning.|By noon, {sold} of the {things} are sold.",
                    "it - sold:5-60",
                    "After selling some there are {=} {things} left.|{p} still has {=} {things} to sell.",
                    "How many {things} are left?|How many {things} does {p} still have?",
                ),
                Event(
                    "{his} neighbour brings {more} more {things}.|{he} finds {more} more {things} in the pantry.",
                    "it + more:4-30",
                    "With the others {p} has {=} {things}.",
                    "How many {things} does {p} have then?",
                ),
            ),
            (
                Event(
                    "{he} packs all that {he} has now into boxes of {size}.",
                    "it / size:2-12",
                    "This makes {=} full boxes of {things}.|{p} fills {=} boxes with {things}.",
                    "How many boxes does {he} fill?",
                ),
                Event(
                    "All the {things} that {he} has now are sold for ${price} each.",
                    "it * price:2-5",
                    "Selling these at that price brings {=$}.",
                    "How much money, in dollars, do these bring in?",
                ),
            ),
        ),
        {"things": "muffins, rolls, scones, buns, pretzels, croissants, bagels"},
    ),
    Template(
        "orchard",
        "{p} picks {mine} {things} in the orchard, and {q} picks {yours}."
        "|In the orchard, {p} and {q} pick {things}. {p} gets {mine} of them and {q} gets {yours}.",
        (
            (
                Event(
                    "",
                    "mine:8-60 + yours:8-50",
                    "Together they pick {=} {things}.|{p} and {q} have {=} {things} together.",
                    "How many {things} do the two pick together?",
                ),
            ),
            (
                Event(
                    "They throw away {bad} that are rotten.|Then they find that {bad} of their {things} are bad.",
                    "it - bad:3-20",
                    "Without the bad ones {=} {things} remain.|There are {=} good {things} left.",
                    "How many good {things} do they have?",
                ),
                Event(
                    "They use {cake} of their {things} for cakes.",
                    "it - cake:6-40",
                    "After making cakes they have {=} {things}.",
                    "How many {things} are not used?",
                ),
            ),
            (
                Event(
                    "They put the rest into {crates} crates, the same number in each.",
                    "it / crates:2-10",
                    "Each of the crates gets {=} {things}.|That is {=} {things} in every crate.",
                    "How many {things} go into each crate?",
                ),
            ),
        ),
        {"things": "apples, pears, plums, peaches, apricots, lemons, oranges"},
    ),
    Template(
        "hens",
        "{p} keeps {hens} hens, and each hen lays {eggs} eggs a week."
        "|Every week, each of {p}'s {hens} hens lays {eggs} eggs.",
        (
            (
                Event(
                    "",
                    "hens:4-12 * eggs:3-7",
                    "The hens lay {=} eggs every week.|In a week {p} gets {=} eggs.",
                    "How many eggs does {p} get in a week?|How many eggs do the hens lay in one week?",
                ),
            ),
            (
                Event(
                    "{his} family eats {eaten} of the week's eggs.",
                    "it - eaten:5-30",
                    "After the family has eaten, {=} eggs remain.",
                    "How many of the week's eggs remain?",
                ),
                Event(
                    "{he} gives {gift} of the week's eggs to {q}.",
                    "it - gift:4-24",
                    "After the gift to {q}, {p} has {=} eggs.",
                    "How many of the week's eggs does {p} keep?",
                ),
            ),
            (
                Event(
                    "The remaining ones go into cartons of {carton}.",
                    "it / carton:2-10",
                    "These eggs fill {=} cartons completely.|That gives {p} {=} cartons of eggs.",
                    "How many cartons can be filled?",
                ),
                Event(
                    "{he} sells the remaining ones for ${price} each.",
                    "it * price:2-3",
                    "For the remaining eggs {p} gets {=$}.",
                    "How many dollars does {he} get for them?",
                ),
            ),
        ),
    ),
    Template(
        "lemonade",
        "At {his} stand, {p} sells cups of {drink} for ${price} each. On {day} {he} sells {cups} cups."
        "|{p} charges ${price} for a cup of {drink}, and {cups} cups are bought on {day}.",
        (
            (
                Event(
                    "",
                    "cups:5-30 * price:2-5",
                    "Selling the cups brings in {=$}.|{p} takes in {=$} for the cups.",
                    "How many dollars does {p} take in?|How much money does {p} take in, in dollars?",
                ),
            ),
            (
                Event(
                    "Everything {he} needs for it costs {him} ${cost}.",
                    "it - cost:6-40",
                    "After paying for everything {p} has {=$}.|The profit of the day is {=$}.",
                    "How many dollars of profit does {he} make?",
                ),
                Event(
                    "A kind customer leaves a tip of ${tip}.",
                    "it + tip:3-15",
                    "With the tip {p} has {=$}.",
                    "How many dollars does {he} have with the tip?",
                ),
            ),
            (
                Event(
                    "{he} shares the money that {he} has then equally with {q}.",
                    "it / 2",
                    "Each of the two gets {=$}.|Half of that money is {=$}.",
                    "How many dollars does each of the two get?",
                ),
            ),
        ),
        {"drink": "lemonade, iced tea, apple juice, hot cocoa, orange juice"},
    ),
    Template(
        "pizza_party",
        "{p} orders {pizzas} pizzas for a party. Each pizza is cut into {slices} slices."
        "|For the party, {p} cuts {pizzas} pizzas into {slices} slices each.",
        (
            (
                Event(
                    "",
                    "pizzas:3-12 * slices:4-12",
                    "There are {=} slices of pizza.|The pizzas make {=} slices in all.",
                    "How many slices of pizza are there?",
                ),
            ),
            (
                Event(
                    "The guests eat {eaten} slices.|By midnight, {eaten} slices are eaten.",
                    "it - eaten:6-70",
                    "After the party {=} slices are left.|The guests leave {=} slices of pizza.",
                    "How many slices are left?",
                ),
            ),
            (
                Event(
                    "The leftover slices are shared equally by {friends} friends.",
                    "it / friends:2-9",
                    "Each of the friends takes {=} slices.",
                    "How many slices does each of these friends get?",
                ),
                Event(
                    "The next day {p} eats {later} of the leftover slices.",
                    "it - later:3-9",
                    "After the next day there are {=} slices.",
                    "How many slices are left after that?",
                ),
            ),
        ),
    ),
)
