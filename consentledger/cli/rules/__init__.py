"""`consentledger rules …`: rule packs read, checked, adopted and compared."""
