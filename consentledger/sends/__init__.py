"""What became of permitted messages, as the organisation reports it."""
