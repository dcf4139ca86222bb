"""Who signs: the keys that a log names, its checkpoints, and commands that sign for us."""
