"""The command line: one file a verb."""

from surefoot.cli.main import main

__all__ = ["main"]
