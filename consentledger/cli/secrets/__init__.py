"""`consentledger secrets …`: the keys outside the database."""
