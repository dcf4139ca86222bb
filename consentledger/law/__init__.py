"""The law as data, and the decision: pure, so that an auditor can read and run it alone (docs/law.md)."""
