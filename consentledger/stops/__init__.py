"""Every way to say stop, and what each one ends."""
