"""Templates to train on: money, traffic, shops, paid work."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

TOWN = (
    Template(
        "parking",
        "There are {cars} cars and {vans} vans in a parking {kind}."
        "|A parking {kind} has {cars} cars and {vans} vans in it.",
        (
            (
                Event(
                    "",
                    "cars:8-70 + vans:3-30",
                    "In the parking {kind} there are {=} vehicles.",
                    "How many vehicles are parked there?",
                ),
            ),
            (
                Event(
                    "In the next hour {gone} of them drive away.",
                    "it - gone:4-40",
                    "After an hour {=} vehicles are still parked.",
                    "How many vehicles are still there after that hour?",
                ),
                Event(
                    "In the next hour {come} more arrive and none leaves.",
                    "it + come:4-30",
                    "After an hour {=} vehicles are parked there.",
                    "How many vehicles are there after that hour?",
                ),
            ),
            (
                Event(
                    "The {kind} has room for {room} vehicles.",
                    "room:90-150 - it",
                    "For other vehicles there are {=} free places.",
                    "How many places are free?",
                ),
                Event(
                    "Every vehicle that is parked there then pays ${fee}.",
                    "it * fee:2-6",
                    "The vehicles pay {=$} for parking.",
                    "How many dollars do they pay for parking?",
                ),
            ),
        ),
        {"kind": "lot, garage"},
    ),
    Template(
        "pocket_money",
        "{p} saves ${weekly} every week for {weeks} weeks.|For {weeks} weeks, {p} puts ${weekly} a week into a {bank}.",
        (
            (
                Event(
                    "",
                    "weeks:3-12 * weekly:3-12",
                    "In these weeks {p} saves {=$}.|The savings of {p} are {=$}.",
                    "How many dollars does {p} save?",
                ),
            ),
            (
                Event(
                    "For {his} birthday {he} gets ${gift} more.",
                    "it + gift:5-40",
                    "With the birthday money {p} has {=$}.",
                    "How many dollars does {he} have after {his} birthday?",
                ),
                Event(
                    "Then {he} spends ${spent} of it on a {present}.",
                    "it - spent:5-40",
                    "After buying the {present}, {p} has {=$}.",
                    "How many dollars does {he} have after that?",
                ),
            ),
            (
                Event(
                    "{he} wants to buy a bicycle that costs ${bike}.",
                    "bike:100-150 - it",
                    "For the bicycle {p} needs {=$} more.",
                    "How many more dollars does {he} need?",
                ),
                Event(
                    "With the money that {he} has then {he} buys tickets at ${ticket} each until all of it is spent.",
                    "it / ticket:2-12",
                    "For this money {p} gets {=} tickets.",
                    "How many tickets does {he} get?",
                ),
            ),
        ),
        {"bank": "piggy bank, savings box, tin", "present": "scarf, football, backpack, kite"},
    ),
    Template(
        "fence_painting",
        "{p} paints {each} {things} an hour. {he} works for {hours} hours."
        "|Painting {each} {things} takes {p} an hour, and {he} paints for {hours} hours.",
        (
            (
                Event(
                    "",
                    "hours:2-9 * each:3-12",
                    "In these hours {p} paints {=} {things}.|{p} has painted {=} {things} then.",
                    "How many {things} does {he} paint?",
                ),
            ),
            (
                Event(
                    "Meanwhile {q} paints {help} {things}.",
                    "it + help:4-30",
                    "With {q} they paint {=} {things}.",
                    "How many {things} do the two paint?",
                ),
            ),
            (
                Event(
                    "{all} {things} had to be painted.",
                    "all:70-150 - it",
                    "After this work {=} {things} are not painted.",
                    "How many {things} are not painted yet?",
                ),
                Event(
                    "They are paid ${pay} for each of these.",
                    "it * pay:2-5",
                    "For this work they are paid {=$}.",
                    "How many dollars are they paid?",
                ),
            ),
        ),
        {"things": "fence boards, window frames, doors, benches, flower pots"},
    ),
    Template(
        "flower_shop",
        "A florist has {stems} {flowers} and ties them into bouquets of {size}."
        "|{stems} {flowers} are made into bouquets, with {size} {flowers} in each.",
        (
            (
                Event(
                    "",
                    "stems:24-144 / size:3-12",
                    "The {flowers} make {=} bouquets in all.|The florist can tie {=} bouquets.",
                    "How many bouquets are there?",
                ),
            ),
            (
                Event(
                    "{p} takes {taken} of the bouquets for a wedding.",
                    "it - taken:2-15",
                    "After the wedding order {=} bouquets are left.",
                    "How many bouquets are left?",
                ),
                Event(
                    "The shop already had {old} bouquets in the window.",
                    "it + old:3-20",
                    "With those in the window there are {=} bouquets.",
                    "How many bouquets does the shop have?",
                ),
            ),
            (
                Event(
                    "The shop sells all the bouquets that it has then for ${price} each.",
                    "it * price:3-10",
                    "For its bouquets the shop gets {=$}.",
                    "How many dollars does the shop get for them?",
                ),
            ),
        ),
        {"flowers": "roses, tulips, lilies, daisies, carnations, sunflowers"},
    ),
    Template(
        "deliveries",
        "A driver has {start} {things} in a van and delivers {first} of them in the morning."
        "|In the morning a driver brings {first} of the {start} {things} in a van to their owners.",
        (
            (
                Event(
                    "",
                    "start:40-120 - first:5-45",
                    "After the morning {=} {things} are in the van.|The van still holds {=} {things}.",
                    "How many {things} are in the van then?",
                ),
            ),
            (
                Event(
                    "In the afternoon {second} are delivered.",
                    "it - second:4-30",
                    "After the afternoon {=} {things} are in the van.",
                    "How many {things} are in the van in the evening?",
                ),
                Event(
                    "At noon {loaded} more are put into the van.",
                    "it + loaded:5-30",
                    "After noon the van holds {=} {things}.",
                    "How many {things} does the van hold after noon?",
                ),
            ),
            (
                Event(
                    "The driver leaves all that is then in the van at {shops} shops, the same number at each.",
                    "it / shops:2-9",
                    "Each of the shops gets {=} {things}.",
                    "How many {things} does each shop get?",
                ),
            ),
        ),
        {"things": "parcels, packages, crates, baskets"},
    ),
)
