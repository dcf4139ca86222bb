"""A whole message held against its permit before it goes out: who it says it is from, the way out, marks, signature."""
