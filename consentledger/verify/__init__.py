"""The auditor's steps over a bundle, pure: knows the ledger and the law, no database and no web."""
