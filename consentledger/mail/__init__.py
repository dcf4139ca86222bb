"""Mail: messages that are safe on the wire, and the hardened transport that carries them."""
