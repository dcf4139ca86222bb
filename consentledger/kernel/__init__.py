"""Settings, clock, ids, errors, keys and logging: what every room uses and that knows nobody."""
