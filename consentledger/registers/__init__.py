"""External registers: who must not be written to, by lists that others keep."""
