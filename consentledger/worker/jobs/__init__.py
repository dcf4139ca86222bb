"""One module per kind of work: what its payload says, and how it is done."""
