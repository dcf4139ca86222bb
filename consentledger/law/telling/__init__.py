"""A pack in plain sentences, for the rules pages, the commands and the API alike."""
