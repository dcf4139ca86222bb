"""The database on two engines, the unit of work, the log's tables, keys and checkpoints."""
