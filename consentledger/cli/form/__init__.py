"""`consentledger form …`: the form studio at a shell."""
