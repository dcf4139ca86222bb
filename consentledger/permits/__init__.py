"""May this message go to this person? With links, headers and proofs."""
