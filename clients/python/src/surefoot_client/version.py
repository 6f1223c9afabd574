"""The version that `pyproject.toml` states too; a test keeps them equal."""

__version__ = "0.1.0"
