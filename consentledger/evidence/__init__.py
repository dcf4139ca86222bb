"""Evidence for auditors: bundles that check without us."""
