"""Double opt-in: request, confirm, decline, expire."""
