"""After a restore: what was said while a log was frozen, and how it goes on."""
