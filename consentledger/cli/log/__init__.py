"""`consentledger log …`: a module per command that does more than one step."""
