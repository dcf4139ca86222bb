"""What the law says must come out, one module of cases per rule pack: written from the sources, not from the code."""
