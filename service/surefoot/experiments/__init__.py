"""Whole recipes that drive everything below: published experiments, from data to a report."""
