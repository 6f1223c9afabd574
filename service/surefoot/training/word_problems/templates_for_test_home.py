"""Templates to test on: house, farm, workshop."""

from __future__ import annotations

from surefoot.training.word_problems.template import Event, Template

HOME = (
    Template(
        "honey",
        "Beekeeper {p} owns {hives} beehives, and a beehive yields {jars} jars of honey."
        "|From each of {hives} beehives, beekeeper {p} harvests {jars} jars of honey.",
        (
            (
                Event(
                    "",
                    "hives:3-12 * jars:3-12",
                    "The harvest of all beehives is {=} jars.|Beekeeper {p} harvests {=} jars of honey.",
                    "How many jars does the harvest give?",
                ),
            ),
            (
                Event(
                    "A bear destroys {bear} jars.",
                    "it - bear:3-25",
                    "The bear spares {=} jars of honey.",
                    "How many jars does the bear spare?",
                ),
                Event(
                    "From last year {last} jars are in the cellar.",
                    "it + last:4-30",
                    "Last year's honey included, it is {=} jars.",
                    "How many jars is it, last year's honey included?",
                ),
            ),
            (
                Event(
                    "A hotel pays ${price} a jar and buys all the honey there is.",
                    "it * price:2-6",
                    "The hotel has to pay {=$}.",
                    "What sum in dollars does the hotel pay?",
                ),
                Event(
                    "{p} ships all the honey there is in parcels of {parcel} jars.",
                    "it / parcel:2-12",
                    "Shipping the honey takes {=} parcels.",
                    "How many parcels are shipped?",
                ),
            ),
        ),
    ),
    Template(
        "photo_album",
        "{p} took {photos} {pictures} on holiday and deleted {bad} blurred ones."
        "|Of {photos} holiday {pictures}, {p} deleted {bad} because they were blurred.",
        (
            (
                Event(
                    "",
                    "photos:30-120 - bad:4-50",
                    "Sharp enough to keep were {=} {pictures}.|{p} kept {=} holiday {pictures}.",
                    "How many {pictures} did {p} not delete?",
                ),
            ),
            (
                Event(
                    "{q} sent {him} {sent} {pictures} of the same holiday.",
                    "it + sent:4-30",
                    "Those sent by {q} included, it was {=} {pictures}.",
                    "How many holiday {pictures} did {p} have with those {q} sent?",
                ),
                Event(
                    "Of the others, {cloudy} showed only clouds, so they were deleted later.",
                    "it - cloudy:4-30",
                    "Once the cloudy ones were deleted, {=} {pictures} remained.",
                    "How many {pictures} remained then?",
                ),
            ),
            (
                Event(
                    "{he} printed everything {he} had then, {sheet} {pictures} to a sheet of paper.",
                    "it / sheet:2-12",
                    "Printing used up {=} sheets of paper.",
                    "How many sheets of paper were used?",
                ),
            ),
        ),
        {"pictures": "photos, pictures, snapshots"},
    ),
    Template(
        "knitting",
        "One {piece} uses up {balls} balls of wool. {p} knits {count} of them as presents."
        "|{p} knits {count} {piece}s. Each uses up {balls} balls of wool.",
        (
            (
                Event(
                    "",
                    "count:3-12 * balls:2-9",
                    "The knitting uses up {=} balls of wool.",
                    "How many balls of wool does the knitting use up?",
                ),
            ),
            (
                Event(
                    "The cat ruins {cat} balls besides, and all the wool has to be bought.",
                    "it + cat:2-12",
                    "The ruined balls included, {p} needs {=} balls.",
                    "How many balls does {p} need, the ruined ones included?",
                ),
                Event(
                    "{own} balls come from an old blanket, and the others are bought.",
                    "it - own:3-20",
                    "The shop sells {p} only {=} balls.",
                    "How many balls are bought?",
                ),
            ),
            (
                Event(
                    "A bought ball costs ${price}.",
                    "it * price:2-5",
                    "Wool for the knitting costs {p} {=$}.",
                    "What does the wool cost {p} in dollars?",
                ),
            ),
        ),
        {"piece": "sweater, hat, vest, shawl"},
    ),
    Template(
        "moving_house",
        "While moving house, {p} fills {mine} {boxes} and {q} fills {yours}."
        "|{mine} {boxes} belong to {p}, who is moving house with {q}. {q} has {yours}.",
        (
            (
                Event(
                    "",
                    "mine:6-50 + yours:6-50",
                    "To be moved are {=} {boxes}.|The movers must carry {=} {boxes}.",
                    "How many {boxes} must be moved?",
                ),
            ),
            (
                Event(
                    "{attic} of them are left behind in the attic.",
                    "it - attic:3-25",
                    "Attic left aside, {=} {boxes} are moved.",
                    "How many {boxes} are not left behind?",
                ),
                Event(
                    "An uncle lends them {uncle} boxes of tools to take along.",
                    "it + uncle:2-15",
                    "Tools included, the load is {=} pieces.",
                    "How many pieces is the load, tools included?",
                ),
            ),
            (
                Event(
                    "A small truck carries it all, always {truck} pieces per trip.",
                    "it / truck:2-12",
                    "The small truck must make {=} trips.",
                    "How many trips must the truck make?",
                ),
            ),
        ),
        {"boxes": "boxes, suitcases, trunks"},
    ),
    Template(
        "water_tank",
        "A tank on a {site} contains {full} liters of water, of which {used} liters are used for washing."
        "|Washing takes {used} liters out of a {site} tank that contained {full} liters of water.",
        (
            (
                Event(
                    "",
                    "full:40-140 - used:5-60",
                    "Washing lowers the contents to {=} liters.",
                    "How many liters does the tank then contain?",
                ),
            ),
            (
                Event(
                    "Rain adds {rain} liters.",
                    "it + rain:4-40",
                    "Rain raises the contents to {=} liters.",
                    "How many liters does it contain once it has rained?",
                ),
                Event(
                    "A leak costs a further {leak} liters.",
                    "it - leak:3-30",
                    "The leak lowers the contents to {=} liters.",
                    "How many liters does the leak leave?",
                ),
            ),
            (
                Event(
                    "From then on, {animals} drink {daily} liters a day out of it until it is empty.",
                    "it / daily:2-12",
                    "For the {animals} the water lasts {=} days.",
                    "How many days does the water last?",
                ),
                Event(
                    "{p} pumps all that the tank holds then into {cans} cans in equal amounts.",
                    "it / cans:2-10",
                    "A can is filled with {=} liters.",
                    "How many liters does a can get?",
                ),
            ),
        ),
        {"site": "farm, ranch, ship, campsite", "animals": "goats, dogs, donkeys, ponies"},
    ),
    Template(
        "robot_batteries",
        "{packs} packs of batteries lie in the workshop of inventor {p}. Each pack contains {per}."
        "|Inventor {p} unwraps {packs} packs of batteries, {per} to a pack.",
        (
            (
                Event(
                    "",
                    "packs:3-12 * per:4-12",
                    "The packs give inventor {p} {=} batteries.",
                    "How many batteries do the packs give?",
                ),
            ),
            (
                Event(
                    "{empty} turn out to be empty.",
                    "it - empty:3-30",
                    "Batteries which are not empty: {=} batteries.",
                    "How many batteries are not empty?",
                ),
                Event(
                    "A drawer yields {drawer} others.",
                    "it + drawer:3-30",
                    "Drawer included, the inventor has {=} batteries.",
                    "How many batteries is that, drawer included?",
                ),
            ),
            (
                Event(
                    "A {robot} runs on {need}, and every good battery finds a use.",
                    "it / need:2-12",
                    "Enough batteries exist for {=} {robot}s.",
                    "How many {robot}s can run?",
                ),
            ),
        ),
        {"robot": "robot, drone, lantern, model train"},
    ),
)
