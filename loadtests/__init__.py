"""Load: the service against other ways to score, under traffic, and while something breaks."""
