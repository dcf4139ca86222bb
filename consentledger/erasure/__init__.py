"""Ends: what expired is erased, provably; this room names every table that knows a contact."""
