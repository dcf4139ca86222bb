"""Keys of contacts and organisations: made, wrapped by the master key, stored here or in a database of their own."""
