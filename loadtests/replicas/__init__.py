"""Two replicas, asked by several ways: what affinity saves, and what becomes of the work when one of them leaves."""
