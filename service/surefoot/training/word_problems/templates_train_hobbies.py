"""Templates to train on: collecting, reading, running, going out."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

HOBBIES = (
    Template(
        "marbles",
        "{p} has {start} {things}.|{p} owns {start} {things}.",
        (
            (
                Event(
                    "{he} wins {won} more from {q}.",
                    "start:8-60 + won:3-35",
                    "After winning, {p} has {=} {things}.",
                    "How many {things} does {he} have now?",
                ),
                Event(
                    "{he} loses {lost} of them to {q}.",
                    "start:20-90 - lost:3-40",
                    "After losing some, {p} has {=} {things}.",
                    "How many {things} does {he} have now?",
                ),
            ),
            (
                Event(
                    "{his} brother gives {him} {gift} more.",
                    "it + gift:3-25",
                    "With the gift {p} has {=} {things}.",
                    "How many {things} does {he} own after that?",
                ),
                Event(
                    "{he} drops {dropped} of {his} {things} and cannot find them again.",
                    "it - dropped:3-25",
                    "After dropping some {p} has {=} {things}.",
                    "How many {things} does {he} own after that?",
                ),
            ),
            (
                Event(
                    "{his} cousin has {times} times as many as {p} has in the end.",
                    "it * times:2-5",
                    "The cousin of {p} has {=} {things}.",
                    "How many {things} does the cousin have?",
                ),
                Event(
                    "{he} sorts what {he} has into {jars} jars, the same number in each.",
                    "it / jars:2-9",
                    "In each of the jars there are {=} {things}.",
                    "How many {things} are in each jar?",
                ),
            ),
        ),
        {"things": "marbles, trading cards, bottle caps, toy soldiers, spinning tops"},
    ),
    Template(
        "sticker_album",
        "One page of {p}'s album holds {per} {things}. {he} fills {pages} pages."
        "|{p} fills {pages} pages of an album with {things}, {per} on every page.",
        (
            (
                Event(
                    "",
                    "pages:3-12 * per:4-12",
                    "On the full pages there are {=} {things}.|{p} puts {=} {things} on those pages.",
                    "How many {things} are on these pages?",
                ),
            ),
            (
                Event(
                    "On the next page {he} puts only {few}.",
                    "it + few:2-11",
                    "With the next page the album has {=} {things}.",
                    "How many {things} are in the album?",
                ),
                Event(
                    "{he} takes out {twice} that {he} has twice.",
                    "it - twice:3-20",
                    "Without those the album has {=} {things}.",
                    "How many {things} stay in the album?",
                ),
            ),
            (
                Event(
                    "{his} whole collection is to have {goal} {things}.",
                    "goal:60-150 - it",
                    "To complete the collection {p} needs {=} {things}.",
                    "How many {things} does {p} still need?",
                ),
                Event(
                    "In {q}'s album there are {less} fewer {things} than in {p}'s album now.",
                    "it - less:4-30",
                    "In the album of {q} there are {=} {things}.",
                    "How many {things} does {q} have?",
                ),
            ),
        ),
        {"things": "stickers, postcards, football cards, pressed flowers"},
    ),
    Template(
        "reading",
        "{p} reads {pages} pages of a {book} every day for {days} days."
        "|For {days} days {p} reads a {book}, {pages} pages a day.",
        (
            (
                Event(
                    "",
                    "days:3-10 * pages:4-14",
                    "In these days {p} reads {=} pages.|{p} has read {=} pages of the {book}.",
                    "How many pages does {he} read in that time?",
                ),
            ),
            (
                Event(
                    "On the day after, {he} reads {more} pages.",
                    "it + more:5-30",
                    "Up to that day {p} reads {=} pages.",
                    "How many pages does {he} read in all?",
                ),
                Event(
                    "In fact {he} skips {skip} of these pages.",
                    "it - skip:3-20",
                    "Without the skipped pages {p} reads {=} pages.",
                    "How many pages does {he} really read?",
                ),
            ),
            (
                Event(
                    "In the same time {q} reads twice as many pages as {p}.",
                    "it * 2",
                    "In the same time {q} reads {=} pages.",
                    "How many pages does {q} read?",
                ),
            ),
        ),
        {"book": "novel, comic book, history book, fantasy story, book of fairy tales"},
    ),
    Template(
        "running_laps",
        "{p} runs {first} laps on {day} and {second} laps the day after."
        "|On {day} {p} runs {first} laps. The next day {he} runs {second} laps.",
        (
            (
                Event(
                    "",
                    "first:3-15 + second:3-15",
                    "On both days {p} runs {=} laps.|That makes {=} laps for {p}.",
                    "How many laps does {he} run on the two days?",
                ),
            ),
            (
                Event(
                    "Every lap takes {him} {minutes} minutes.",
                    "it * minutes:2-6",
                    "For all the laps {p} needs {=} minutes.",
                    "How many minutes does {he} run in total?",
                ),
                Event(
                    "A sponsor donates ${money} for every lap.",
                    "it * money:2-6",
                    "For all the laps the sponsor donates {=$}.",
                    "How many dollars does the sponsor donate?",
                ),
            ),
        ),
    ),
    Template(
        "cinema",
        "{p} buys {tickets} tickets for a {show} at ${price} each."
        "|A ticket for a {show} costs ${price}, and {p} buys {tickets} of them.",
        (
            (
                Event(
                    "",
                    "tickets:2-10 * price:4-12",
                    "The tickets cost {=$} in total.|For the tickets {p} pays {=$}.",
                    "How many dollars do the tickets cost?",
                ),
            ),
            (
                Event(
                    "{he} also spends ${snacks} on popcorn.",
                    "it + snacks:5-25",
                    "Together with the popcorn {p} spends {=$}.",
                    "How many dollars does {he} spend in all?",
                ),
                Event(
                    "With a coupon {he} pays ${off} less.",
                    "it - off:3-15",
                    "With the coupon {p} pays {=$}.",
                    "How many dollars does {he} pay with the coupon?",
                ),
            ),
            (
                Event(
                    "{he} had ${cash} in {his} wallet before.",
                    "cash:50-150 - it",
                    "In the wallet of {p} there are {=$} left.",
                    "How many dollars are left in the wallet?",
                ),
                Event(
                    "{he} and {q} each pay half of it.",
                    "it / 2",
                    "Each of the two pays {=$}.",
                    "How many dollars does each of them pay?",
                ),
            ),
        ),
        {"show": "movie, puppet show, concert, magic show, circus show"},
    ),
)
