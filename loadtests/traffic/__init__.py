"""Traffic at a given rate: how the service answers when more comes than it can do."""
