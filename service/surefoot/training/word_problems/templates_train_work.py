"""Templates to train on: school, work, travel, garden."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

WORK = (
    Template(
        "library",
        "A bookcase has {shelves} shelves with {per} books on each shelf."
        "|In the library there is a bookcase with {shelves} shelves. Each shelf holds {per} books.",
        (
            (
                Event(
                    "",
                    "shelves:3-9 * per:5-12",
                    "The bookcase holds {=} books in total.|On all the shelves there are {=} books.",
                    "How many books are in the bookcase?",
                ),
            ),
            (
                Event(
                    "Readers borrow {out} of them.",
                    "it - out:4-50",
                    "After the readers have borrowed some, {=} books are there.",
                    "How many books are in the bookcase after that?",
                ),
                Event(
                    "The librarian {p} adds {new} new ones.",
                    "it + new:4-35",
                    "With the new ones there are {=} books.",
                    "How many books are in the bookcase after that?",
                ),
            ),
            (
                Event(
                    "Then {back} books are brought back and put there too.",
                    "it + back:3-25",
                    "With those brought back there are {=} books.",
                    "How many books are in the bookcase in the end?",
                ),
                Event(
                    "Then {old} old books are thrown out.",
                    "it - old:3-25",
                    "Without the old ones there are {=} books.",
                    "How many books are in the bookcase in the end?",
                ),
            ),
        ),
    ),
    Template(
        "classroom",
        "{p} teaches {students} students and gives each of them {per} {things}."
        "|Each of the {students} students in {p}'s class gets {per} {things}.",
        (
            (
                Event(
                    "",
                    "students:5-12 * per:2-9",
                    "The students get {=} {things} in all.|{p} gives the class {=} {things}.",
                    "How many {things} do the students get altogether?",
                ),
            ),
            (
                Event(
                    "{he} keeps {spare} more in {his} desk.",
                    "it + spare:3-20",
                    "Counting the desk, there are {=} {things}.",
                    "How many {things} are there with those in the desk?",
                ),
                Event(
                    "By the end of the year {lost} of them are lost.",
                    "it - lost:3-30",
                    "At the end of the year there are {=} {things}.",
                    "How many {things} do the students still have?",
                ),
            ),
            (
                Event(
                    "All the {things} that can be found are then stored in {boxes} boxes, the same number in each.",
                    "it / boxes:2-9",
                    "Every box holds {=} {things} then.",
                    "How many {things} are in each box?",
                ),
            ),
        ),
        {"things": "pencils, crayons, notebooks, markers, erasers, folders"},
    ),
    Template(
        "bus_riders",
        "A {bus} leaves the station with {start} people.|{start} people are sitting on a {bus}.",
        (
            (
                Event(
                    "At the first stop {on} people get on.",
                    "start:8-60 + on:3-25",
                    "After the first stop {=} people are riding.",
                    "How many people are riding after this stop?",
                ),
                Event(
                    "At the first stop {off} people get off.",
                    "start:20-70 - off:3-18",
                    "After the first stop {=} people are riding.",
                    "How many people are riding after this stop?",
                ),
            ),
            (
                Event(
                    "At the second stop {enter} people get on.",
                    "it + enter:2-20",
                    "After the second stop {=} people are riding.",
                    "How many people are riding after the second stop?",
                ),
                Event(
                    "At the second stop {leave} people get off.",
                    "it - leave:2-20",
                    "After the second stop {=} people are riding.",
                    "How many people are riding after the second stop?",
                ),
            ),
            (
                Event(
                    "Half of the people who are then riding get off at the third stop.",
                    "it / 2",
                    "At the third stop {=} people get off.",
                    "How many people get off at the third stop?",
                ),
                Event(
                    "Everyone who is riding then pays a fare of ${fare}.",
                    "it * fare:2-5",
                    "All these people pay {=$} together.",
                    "How many dollars do these people pay in all?",
                ),
            ),
        ),
        {"bus": "bus, tram, ferry, shuttle bus"},
    ),
    Template(
        "toy_factory",
        "A machine makes {rate} {things} an hour and runs for {hours} hours."
        "|For {hours} hours a machine is running. Every hour it makes {rate} {things}.",
        (
            (
                Event(
                    "",
                    "hours:3-10 * rate:4-14",
                    "The machine makes {=} {things} in this time.|In all the hours there are {=} {things}.",
                    "How many {things} does the machine make?",
                ),
            ),
            (
                Event(
                    "{faulty} of the {things} are faulty.",
                    "it - faulty:2-20",
                    "Without the faulty ones there are {=} {things}.",
                    "How many of the {things} are good?",
                ),
                Event(
                    "A second machine makes {other} {things} in the same time.",
                    "it + other:5-40",
                    "The two machines make {=} {things} together.",
                    "How many {things} do both machines make?",
                ),
            ),
            (
                Event(
                    "All the good {things} are packed in cartons that hold {size} each.",
                    "it / size:2-12",
                    "The {things} fill {=} cartons in all.",
                    "How many cartons are filled?",
                ),
            ),
        ),
        {"things": "toys, dolls, toy cars, teddy bears, puzzles, kites"},
    ),
    Template(
        "garden_rows",
        "In {his} garden, {p} plants {rows} rows of {things} with {per} {things} in each row."
        "|{p} plants {things} in {rows} rows. There are {per} of them in a row.",
        (
            (
                Event(
                    "",
                    "rows:3-12 * per:3-12",
                    "In the garden there are {=} {things}.|{p} plants {=} {things} in total.",
                    "How many {things} does {p} plant?",
                ),
            ),
            (
                Event(
                    "Rabbits eat {eaten} of them.",
                    "it - eaten:3-30",
                    "After the rabbits came, {=} {things} remain.",
                    "How many {things} do the rabbits leave?",
                ),
                Event(
                    "Beside the fence {he} plants {fence} more.",
                    "it + fence:3-25",
                    "With those beside the fence {p} has {=} {things}.",
                    "How many {things} does {he} have with those beside the fence?",
                ),
            ),
            (
                Event(
                    "Every one that is in the garden then needs {litres} litres of water a month.",
                    "it * litres:2-4",
                    "In a month the {things} need {=} litres.",
                    "How many litres of water do they need in a month altogether?",
                ),
                Event(
                    "At harvest {he} ties all that are in the garden into bunches of {bunch}.",
                    "it / bunch:2-9",
                    "At harvest {p} ties {=} bunches.",
                    "How many bunches does {he} tie?",
                ),
            ),
        ),
        {"things": "carrots, leeks, beets, radishes, onions, turnips"},
    ),
)
