"""The ledger, pure: kinds, leaves, tree, notes, proofs, bundles; stdlib and cryptography only."""
