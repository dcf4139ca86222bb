"""What a marketer publishes: organisations, senders, purposes, wordings and forms."""
