"""The first edition of the law: consent alone, one pack. Permits that it decided are decided again by it, for ever."""
