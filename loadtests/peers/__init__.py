"""Ways to score, each a program: `python -m loadtests.peers.NAME`. They speak lines of JSON, see `loadtests.peer`."""
