"""Ways to score, each a program: `python -m loadtests.comparison.peers.NAME`.

They speak lines of JSON, see `loadtests.comparison.peer`.
"""
