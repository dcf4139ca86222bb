"""An organisation's log: entries are drafted, sealed and appended; its tree and its labels are read."""
