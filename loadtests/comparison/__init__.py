"""The service against other ways to score the same texts, in turn, in one run, on one machine."""
