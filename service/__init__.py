"""The service: labelling and verification over HTTP for platforms, newsrooms and browser extensions.

``tanba serve`` starts it. Nothing below this package knows about HTTP or the database.
"""
