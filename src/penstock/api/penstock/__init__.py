"""Penstock's own API: what no vendor's API has."""
