"""The only room that knows Flask: turns requests into verbs and answers into pages or JSON."""
