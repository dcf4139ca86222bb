"""Durable work inside the database: enqueue, lease, complete, retry, bury."""
