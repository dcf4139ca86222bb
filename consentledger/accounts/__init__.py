"""Who may use the API: keys with scopes, and the answers kept for repeated requests."""
