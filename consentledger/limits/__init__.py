"""How often an address, a network or a form may ask, counted in the database."""
