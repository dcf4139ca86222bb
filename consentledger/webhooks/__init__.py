"""Telling an organisation's other systems what became of a contact: signed, guarded, retried."""
