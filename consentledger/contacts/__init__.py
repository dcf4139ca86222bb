"""Addresses as one organisation knows them: keyed look-up, suppression, and each contact's standing."""
