"""Contracts of other systems, one module each: their clients work here by changing a URL."""
