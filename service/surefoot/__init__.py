"""Serve process and outcome reward models."""
