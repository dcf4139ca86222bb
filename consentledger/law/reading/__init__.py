"""From a pack's file to the pack: read strictly, checked for authors, known by its hash, compared with another."""
