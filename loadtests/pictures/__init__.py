"""Pictures of what a dashboard shows."""
