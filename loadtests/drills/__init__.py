"""Something breaks on purpose, and what became of the work is counted."""
