"""The demo: the whole service on this machine, with a town around it (a shop and a post office).

It stands under `cli` because it is a user of everything and used by nothing. The town is for the
demo alone: it believes every sender, keeps mail in plain files and has no login.
"""
