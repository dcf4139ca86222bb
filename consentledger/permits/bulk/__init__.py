"""Permits for recipients without number: the body spooled, batches that commit one by one, an answer in lines."""
