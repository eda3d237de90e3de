"""Decides whether a config keeps the rules of its organization."""
