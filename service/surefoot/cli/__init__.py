"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong usage or settings, 3 the server cannot be reached."""

from surefoot.cli.main import main

__all__ = ["main"]
