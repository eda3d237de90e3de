"""Tells others what has happened: signed webhooks."""
