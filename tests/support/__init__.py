"""Real peers for tests: a PostgreSQL server, an SMTP server that can fail on command, a browser."""
