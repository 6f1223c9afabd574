"""The only room that names concrete classes; engines are imported lazily."""

from surefoot.wiring.build import build_service

__all__ = ["build_service"]
