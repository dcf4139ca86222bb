"""Existing customers: the evidence for the exception of Directive 2002/58/EC art. 13(2), which is never consent."""
