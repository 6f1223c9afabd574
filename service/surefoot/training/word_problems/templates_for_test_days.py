"""Templates to test on: travel, sport, the sea, the stage."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

DAYS = (
    Template(
        "post_office",
        "Clerk {p} sorts {letters} letters and {cards} {things}."
        "|{letters} letters and {cards} {things} lie on the desk of clerk {p}.",
        (
            (
                Event(
                    "",
                    "letters:10-60 + cards:6-40",
                    "The mail of clerk {p} is {=} pieces.|Altogether, clerk {p} sorts {=} pieces of mail.",
                    "How many pieces of mail does the clerk sort?",
                ),
            ),
            (
                Event(
                    "{foreign} of these pieces are returned to their senders.",
                    "it - foreign:4-40",
                    "Once some are returned, {=} pieces are there.",
                    "How many pieces are not returned?",
                ),
                Event(
                    "A mailbag with {bag} further pieces comes in.",
                    "it + bag:5-35",
                    "The mailbag makes it {=} pieces.",
                    "How many pieces must the clerk sort, the mailbag included?",
                ),
            ),
            (
                Event(
                    "All mail which the clerk has then is spread over {routes} delivery routes of the same size.",
                    "it / routes:2-10",
                    "A single delivery route has {=} pieces.",
                    "How many pieces belong to a single route?",
                ),
            ),
        ),
        {"things": "postcards, telegrams, greeting cards"},
    ),
    Template(
        "train_carriages",
        "The train to the {goal} pulls {cars} carriages. A carriage can take {per} {load}."
        "|{per} {load} fit into one carriage. The train to the {goal} has {cars} carriages.",
        (
            (
                Event(
                    "",
                    "cars:3-12 * per:5-12",
                    "The whole train can take {=} {load}.|Space on the train is for {=} {load}.",
                    "For how many {load} does the train have space?",
                ),
            ),
            (
                Event(
                    "So far {loaded} spaces are taken.",
                    "it - loaded:8-70",
                    "Spaces not yet taken: {=} for further {load}.",
                    "How many spaces are not yet taken?",
                ),
                Event(
                    "A trailer at the end has space for another {trailer}.",
                    "it + trailer:4-20",
                    "Trailer included, the train takes {=} {load}.",
                    "For how many {load} is there space, trailer included?",
                ),
            ),
            (
                Event(
                    "Every space not yet taken gets booked for ${fee}.",
                    "it * fee:2-4",
                    "Booking those spaces costs {=$} altogether.",
                    "What do the bookings cost in dollars?",
                ),
            ),
        ),
        {"goal": "coast, mountains, harbor, capital", "load": "passengers, motorcycles, barrels, cyclists"},
    ),
    Template(
        "swimming",
        "Every {day} swimmer {p} completes {lengths} lengths of the pool."
        "|Swimmer {p} goes to the pool each {day} and completes {lengths} lengths.",
        (
            (
                Event(
                    "{he} has done so for {weeks} weeks.",
                    "lengths:4-12 * weeks:3-12",
                    "Over those weeks swimmer {p} completes {=} lengths.",
                    "What is the number of lengths {he} has completed?",
                ),
            ),
            (
                Event(
                    "At a contest {he} adds {contest} lengths.",
                    "it + contest:4-30",
                    "Contest included, it is {=} lengths.",
                    "What is the number of lengths, contest included?",
                ),
                Event(
                    "For {float} of those lengths {he} held a float, and they do not count.",
                    "it - float:4-40",
                    "Float left aside, it is {=} lengths.",
                    "What is the number of lengths that count?",
                ),
            ),
            (
                Event(
                    "Rival {q} can count {ahead} lengths more than {p}.",
                    "it + ahead:3-30",
                    "Rival {q} can count {=} lengths.",
                    "What number of lengths can {q} count?",
                ),
                Event(
                    "Rival {q} can count three times as many lengths as {p}.",
                    "it * 3",
                    "Rival {q} can count {=} lengths.",
                    "What number of lengths can {q} count?",
                ),
            ),
        ),
    ),
    Template(
        "theatre",
        "For the premiere {sold} {seats} were booked online, and {door} were sold at the door."
        "|A theatre sold {door} {seats} at the door for its premiere, after {sold} had been booked online.",
        (
            (
                Event(
                    "",
                    "sold:12-70 + door:5-40",
                    "The premiere had sales of {=} {seats}.",
                    "How many {seats} were taken for the premiere?",
                ),
            ),
            (
                Event(
                    "Because of snow, {ill} of the ticket holders stayed at home.",
                    "it - ill:3-30",
                    "Despite the snow, {=} people came.",
                    "How many people came despite the snow?",
                ),
                Event(
                    "Actors invited {free} people who needed no ticket.",
                    "it + free:4-20",
                    "Invited people included, the audience was {=} people.",
                    "How large was the audience, invited people included?",
                ),
            ),
            (
                Event(
                    "One in {part} of the people there wrote a review.",
                    "it / part:2-9",
                    "The theatre got {=} written reviews.",
                    "How many reviews were written?",
                ),
            ),
        ),
        {"seats": "tickets, seats, places"},
    ),
    Template(
        "beach_shells",
        "Walking along the {shore}, {p} finds {found} {things}; {q} finds {fewer} fewer."
        "|{q} finds {fewer} fewer {things} along the {shore} than {p}, who finds {found}.",
        (
            (
                Event(
                    "",
                    "found:15-80 - fewer:3-30",
                    "Found by {q} are {=} {things}.|Along the {shore}, {q} finds {=} {things}.",
                    "How many {things} are found by {q}?",
                ),
            ),
            (
                Event(
                    "The two combine their finds.",
                    "it + found",
                    "The combined finds come to {=} {things}.",
                    "How many {things} do the combined finds come to?",
                ),
            ),
            (
                Event(
                    "A wave washes {wave} away.",
                    "it - wave:3-30",
                    "What the wave spares is {=} {things}.",
                    "How many {things} does the wave spare?",
                ),
                Event(
                    "They glue all of them onto {frames} picture frames, equally many onto each.",
                    "it / frames:2-9",
                    "One picture frame carries {=} {things}.",
                    "How many {things} does one picture frame carry?",
                ),
            ),
        ),
        {"shore": "beach, lake, river", "things": "shells, pebbles, pieces of amber, feathers"},
    ),
    Template(
        "school_trip",
        "{kids} pupils of Oak School travel in {kind} that take {seats} pupils each, and every seat is taken."
        "|Oak School sends {kids} pupils on a trip. They fill {kind} of {seats} seats, driver not counted.",
        (
            (
                Event(
                    "",
                    "kids:18-132 / seats:4-12",
                    "Oak School must hire {=} {kind}.",
                    "How many {kind} must Oak School hire?",
                ),
            ),
            (
                Event(
                    "Another {staff} {kind} are hired for teachers and food.",
                    "it + staff:2-7",
                    "Teachers and food included, the school hires {=} {kind}.",
                    "How many {kind} are hired in all?",
                ),
            ),
            (
                Event(
                    "Each of the hired {kind} costs ${cost} an hour.",
                    "it * cost:4-9",
                    "An hour's hire costs the school {=$}.",
                    "What does an hour cost the school in dollars?",
                ),
                Event(
                    "{lost} of the drivers lose their way.",
                    "it - lost:2-6",
                    "The way is found by {=} drivers.",
                    "How many of the drivers find the way?",
                ),
            ),
        ),
        {"kind": "minibuses, vans, boats"},
    ),
)
