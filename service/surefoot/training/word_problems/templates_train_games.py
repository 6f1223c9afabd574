"""Templates to train on: games, trips, things made by hand."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

GAMES = (
    Template(
        "board_game",
        "In a {game} {p} scores {one} points in the first round and {two} points in the second round."
        "|{p} plays a {game}. The first round gives {him} {one} points and the second {two} points.",
        (
            (
                Event(
                    "",
                    "one:5-45 + two:5-45",
                    "After two rounds {p} has {=} points.|The two rounds give {p} {=} points.",
                    "How many points does {he} have after two rounds?",
                ),
            ),
            (
                Event(
                    "In the third round {he} loses {penalty} points.",
                    "it - penalty:3-30",
                    "After the third round {p} has {=} points.",
                    "How many points does {he} have after the third round?",
                ),
                Event(
                    "The third round doubles all {his} points.",
                    "it * 2",
                    "After the third round {p} has {=} points.",
                    "How many points does {he} have after the third round?",
                ),
            ),
            (
                Event(
                    "{q} has {ahead} points more than that.",
                    "it + ahead:4-40",
                    "In this game {q} has {=} points.",
                    "How many points does {q} have?",
                ),
                Event(
                    "To win, a player needs {goal} points.",
                    "goal:100-150 - it",
                    "To win the game {p} needs {=} more points.",
                    "How many more points does {p} need to win?",
                ),
            ),
        ),
        {"game": "board game, card game, dice game, computer game"},
    ),
    Template(
        "fishing",
        "{p} and {q} go fishing. {p} catches {fish} fish, and {q} catches {times} times as many."
        "|On a fishing trip {p} catches {fish} fish. {q} catches {times} times as many as {p}.",
        (
            (
                Event(
                    "",
                    "fish:3-12 * times:2-6",
                    "On this trip {q} catches {=} fish.|In the net of {q} there are {=} fish.",
                    "How many fish does {q} catch?",
                ),
            ),
            (
                Event(
                    "They put all their fish into one bucket.",
                    "it + fish",
                    "Both together have {=} fish in the bucket.",
                    "How many fish are in the bucket?",
                ),
            ),
            (
                Event(
                    "They let {free} small ones swim away.",
                    "it - free:3-20",
                    "Without the small ones they keep {=} fish.",
                    "How many fish do they keep?",
                ),
                Event(
                    "They divide these fish equally among {homes} families.",
                    "it / homes:2-9",
                    "Every one of the families gets {=} fish.",
                    "How many fish does each family get?",
                ),
            ),
        ),
    ),
    Template(
        "camping",
        "A group of {people} people goes camping, and {size} people sleep in each tent."
        "|{people} people go to a camp. They sleep in tents, {size} people in each.",
        (
            (
                Event(
                    "",
                    "people:12-96 / size:2-8",
                    "For all the people {=} tents are needed.|The group sleeps in {=} tents.",
                    "How many tents does the group need?",
                ),
            ),
            (
                Event(
                    "The guides bring {spare} more tents for the luggage.",
                    "it + spare:2-8",
                    "With those for the luggage there are {=} tents.",
                    "How many tents are there with those for the luggage?",
                ),
                Event(
                    "{own} of these tents are not put up, because some people sleep in a hut.",
                    "it - own:2-9",
                    "The group puts up only {=} tents.",
                    "How many tents are put up?",
                ),
            ),
            (
                Event(
                    "Every tent that is put up needs {pegs} pegs.",
                    "it * pegs:4-12",
                    "To put them up they use {=} pegs.",
                    "How many pegs are used?",
                ),
            ),
        ),
    ),
    Template(
        "bracelets",
        "{p} has {beads} {things} and needs {per} of them for one {piece}."
        "|It takes {per} {things} to make a {piece}, and {p} has {beads} of them.",
        (
            (
                Event(
                    "",
                    "beads:24-144 / per:4-12",
                    "With the {things} {p} can make {=} {piece}s.",
                    "How many {piece}s can {he} make?",
                ),
            ),
            (
                Event(
                    "{he} makes all of them and gives {gifts} to friends.",
                    "it - gifts:2-10",
                    "After the gifts {p} has {=} {piece}s.",
                    "How many {piece}s does {he} keep?",
                ),
                Event(
                    "{he} makes all of them, and {q} gives {him} {more} more.",
                    "it + more:3-20",
                    "With those from {q}, {p} has {=} {piece}s.",
                    "How many {piece}s does {he} have?",
                ),
            ),
            (
                Event(
                    "At a fair {he} sells all the {piece}s that {he} has then for ${price} each.",
                    "it * price:3-9",
                    "At the fair {p} gets {=$} for them.",
                    "How many dollars does {he} get at the fair?",
                ),
            ),
        ),
        {"things": "beads, pearls, glass stones, buttons", "piece": "bracelet, necklace, key ring"},
    ),
    Template(
        "arcade",
        "{p} starts with {start} tokens at the arcade and spends {spent} of them on a {game}."
        "|With {start} tokens {p} walks into an arcade. A {game} takes {spent} of the tokens.",
        (
            (
                Event(
                    "",
                    "start:25-90 - spent:4-40",
                    "After the {game} {p} has {=} tokens.|That leaves {p} with {=} tokens.",
                    "How many tokens does {he} have then?",
                ),
            ),
            (
                Event(
                    "{he} buys {bought} new tokens.",
                    "it + bought:5-40",
                    "With the new ones {p} has {=} tokens.",
                    "How many tokens does {he} have in the end?",
                ),
                Event(
                    "The next machine takes {next} tokens from {him}.",
                    "it - next:3-25",
                    "After the next machine {p} has {=} tokens.",
                    "How many tokens does {he} have in the end?",
                ),
            ),
            (
                Event(
                    "{he} trades all the tokens that {he} has then for prizes that cost {cost} tokens each.",
                    "it / cost:2-12",
                    "For the tokens {p} gets {=} prizes.",
                    "How many prizes does {he} get?",
                ),
            ),
        ),
        {"game": "racing game, pinball machine, basketball game, dance game"},
    ),
)
