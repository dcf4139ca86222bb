"""The state's rows made anew from the log: what its entries give, where the rows differ, and how they are mended."""
