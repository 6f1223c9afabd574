"""Templates to validate on."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

VALIDATION = (
    Template(
        "museum",
        "{adults} adults and {kids} children come to see the {exhibit}."
        "|To the {exhibit} come {kids} children as well as {adults} adults.",
        (
            (
                Event(
                    "",
                    "adults:6-60 + kids:6-50",
                    "The {exhibit} has {=} visitors.|That makes {=} visitors at the {exhibit}.",
                    "How many visitors are that?|What is the number of visitors?",
                ),
            ),
            (
                Event(
                    "Because the queue is long, {tour} of these visitors go home.",
                    "it - tour:5-50",
                    "The long queue leaves {=} visitors.",
                    "How many visitors do not go home?",
                ),
                Event(
                    "With a school class come {up} further visitors.",
                    "it + up:5-35",
                    "The school class raises it to {=} visitors.",
                    "How many visitors are that with the class?",
                ),
            ),
            (
                Event(
                    "The staff leads everybody who is there then through the halls in groups of {group}.",
                    "it / group:2-12",
                    "The staff has to lead {=} groups.",
                    "How many groups are led through the halls?",
                ),
            ),
        ),
        {"exhibit": "dinosaur hall, art exhibition, rocket museum, mummy exhibition"},
    ),
    Template(
        "aquarium",
        "An aquarium shop owns {tanks} tanks. {per} {animals} swim in every tank."
        "|{per} {animals} live in every one of the {tanks} tanks of an aquarium shop.",
        (
            (
                Event(
                    "",
                    "tanks:3-12 * per:3-12",
                    "All tanks together hold {=} {animals}.",
                    "What is the total number of {animals} in the shop?",
                ),
            ),
            (
                Event(
                    "{p} buys {bought} for {his} pond.",
                    "it - bought:3-30",
                    "When {p} has left, the shop has {=} {animals}.",
                    "What number of {animals} stays in the shop?",
                ),
                Event(
                    "A breeder supplies another {bred}.",
                    "it + bred:4-30",
                    "The breeder raises the number to {=} {animals}.",
                    "To what number of {animals} does the shop grow?",
                ),
            ),
            (
                Event(
                    "The owner moves all {animals} still in the shop to {big} big pools, spread evenly.",
                    "it / big:2-8",
                    "Each big pool receives {=} {animals}.",
                    "What number of {animals} does each pool receive?",
                ),
            ),
        ),
        {"animals": "goldfish, guppies, snails, shrimps, angelfish, turtles"},
    ),
    Template(
        "concert_hall",
        "Workers set up {rows} rows of {seats} {seat} for a school play."
        "|A school play is coming up, so workers set up {seat} in {rows} rows of {seats}.",
        (
            (
                Event(
                    "",
                    "rows:4-12 * seats:5-12",
                    "The workers set up {=} {seat}.",
                    "How many {seat} do the workers set up?",
                ),
            ),
            (
                Event(
                    "The principal asks for {extra} extra {seat} along the wall.",
                    "it + extra:3-25",
                    "The extra ones included, the hall offers {=} {seat}.",
                    "How many {seat} does the hall offer, the extra ones included?",
                ),
            ),
            (
                Event(
                    "Parents occupy {parents} of all the {seat} in the hall.",
                    "it - parents:10-90",
                    "The parents leave {=} {seat} free.",
                    "How many {seat} do the parents leave free?",
                ),
            ),
        ),
        {"seat": "chairs, seats, stools, cushions"},
    ),
    Template(
        "bricklayer",
        "{p} the bricklayer needs {total} bricks for a {wall}, and {have} have arrived."
        "|For a {wall}, {total} bricks are necessary. So far {have} have been brought to bricklayer {p}.",
        (
            (
                Event(
                    "",
                    "total:60-150 - have:10-60",
                    "Not yet brought are {=} bricks.|The bricklayer is missing {=} bricks.",
                    "How many bricks are missing?",
                ),
            ),
            (
                Event(
                    "A truck brings {truck} of the missing bricks.",
                    "it - truck:5-50",
                    "Once the truck has come, {=} bricks are missing.",
                    "How many bricks are missing once the truck has come?",
                ),
                Event(
                    "To be safe, {p} orders {spare} bricks beyond the missing ones.",
                    "it + spare:4-20",
                    "The order of {p} is for {=} bricks.",
                    "How many bricks does {p} order?",
                ),
            ),
            (
                Event(
                    "Everything still to come is carried from the road by a helper, {load} bricks at a time.",
                    "it / load:2-10",
                    "The helper has to walk {=} times.",
                    "How many times does the helper walk?",
                ),
            ),
        ),
        {"wall": "garden wall, chimney, barbecue, stable"},
    ),
    Template(
        "rope",
        "A {rope} is {long} meters long. {p} cuts {cut} meters off."
        "|{p} cuts {cut} meters from a {rope} whose length is {long} meters.",
        (
            (
                Event(
                    "",
                    "long:30-120 - cut:4-50",
                    "Once cut, the {rope} measures {=} meters.|The length after the cut is {=} meters.",
                    "How long, in meters, is the {rope} now?",
                ),
            ),
            (
                Event(
                    "{he} ties a piece of {tied} meters to it, without losing length in the knot.",
                    "it + tied:3-25",
                    "Tied together, the length is {=} meters.",
                    "What does the {rope} measure in meters after tying?",
                ),
                Event(
                    "Another {again} meters burn in a fire.",
                    "it - again:2-20",
                    "What the fire leaves measures {=} meters.",
                    "How many meters does the fire leave?",
                ),
            ),
            (
                Event(
                    "{p} cuts up the whole {rope} into equal pieces of {piece} meters.",
                    "it / piece:2-9",
                    "The number of equal pieces is {=} pieces.",
                    "How many equal pieces come out?",
                ),
            ),
        ),
        {"rope": "rope, cable, ribbon, cord, string"},
    ),
    Template(
        "newspapers",
        "{papers} {papers_kind} are to be delivered by {carriers} carriers who all carry equally many."
        "|{carriers} carriers split {papers} {papers_kind} evenly.",
        (
            (
                Event(
                    "",
                    "papers:24-144 / carriers:2-12",
                    "One carrier has to take {=} {papers_kind}.",
                    "How many {papers_kind} must one carrier take?",
                ),
            ),
            (
                Event(
                    "Carrier {p} also takes {sick} from a sick colleague.",
                    "it + sick:3-25",
                    "Together with the colleague's, {p} takes {=} {papers_kind}.",
                    "How many {papers_kind} does {p} take?",
                ),
                Event(
                    "Carrier {p} has already handed out {out} of {his}.",
                    "it - out:2-20",
                    "The bag of {p} contains {=} {papers_kind}.",
                    "How many {papers_kind} has {p} yet to hand out?",
                ),
            ),
            (
                Event(
                    "Handing out each one takes {min} minutes.",
                    "it * min:2-5",
                    "To hand these out {p} needs {=} minutes.",
                    "For how many minutes is {p} busy with those not yet handed out?",
                ),
            ),
        ),
        {"papers_kind": "newspapers, magazines, leaflets, catalogues"},
    ),
)
