"""Models that come with the service: the base model and, as adapters on it, the default reward models."""
